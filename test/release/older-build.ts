import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** What is built here, but saying that it speaks the version before: what that did not know it is not sent, and does not send. */
export async function olderBuild(root: string): Promise<string> {
  await mkdir(root);
  await cp('dist', join(root, 'dist'), { recursive: true, filter: (path) => path !== join('dist', 'bin') });
  for (const shared of ['node_modules', 'sql', 'package.json', 'dist/bin'])
    await symlink(resolve(shared), join(root, shared));
  await cp('bin', join(root, 'bin'), { recursive: true });
  const file = join(root, 'dist/rpc/methods.js');
  const text = await readFile(file, 'utf8');
  const older = text.replace(/RPC_VERSION = (\d+);/, (_, version) => `RPC_VERSION = ${Number(version) - 1};`);
  if (older === text) throw new Error(`${file} names no version`);
  await writeFile(file, older);
  return root;
}
