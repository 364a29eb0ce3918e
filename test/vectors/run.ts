import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkDirectory } from './check-files.ts';

// npm runs scripts in the package's root; INIT_CWD is where the user is.
const [argument, ...more] = process.argv.slice(2);
process.exitCode = argument === undefined || more.length > 0 ? usage() : await run(argument);

async function run(argument: string): Promise<number> {
  const directory = resolve(process.env.INIT_CWD ?? '.', argument);
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true)
    return complain(`${directory} is not a directory; name one that holds vector files`);
  const results = await checkDirectory(directory);
  if (results.length === 0) return complain(`${directory} holds no vector files`);
  let failed = 0;
  for (const { file, name, failure } of results) {
    if (failure === undefined) continue;
    failed++;
    process.stdout.write(`${file}: ${name}: ${failure}\n`);
  }
  process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function usage(): number {
  return complain('usage: npm run vectors -- DIR');
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
