import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startMaster } from './scripted-master.ts';
import { scriptedProver } from './test-slave.ts';

// The compiled program: bin/setup builds it.
const program = fileURLToPath(new URL('../../bin/wdpost-slave-daemon', import.meta.url));

async function configFile(port: number): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'slave-main-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'slave.toml');
  await writeFile(file, `[master]\nserver_addr = '127.0.0.1:${port}'\n[slave]\nconcurrent = 2\n`);
  return file;
}

/** Exit code and what people read on stderr. */
function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: unknown; said: string[] }> {
  return new Promise((resolve) => {
    execFile(program, args, { env: { ...process.env, ...env } }, (error, _stdout, stderr) => {
      const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
      resolve({ code: error?.code ?? 0, said });
    });
  });
}

test('wrong usage is exit code 2, a missing file 1', async () => {
  await expect(run([])).resolves.toMatchObject({ code: 2 });
  await expect(run(['-c=/nonexistent/slave.toml'])).resolves.toEqual({
    code: 1,
    said: [expect.stringMatching(/^error: .*\/nonexistent\/slave\.toml/)],
  });
});

test('a wrong token is one line and exit code 1', async () => {
  const master = await startMaster({ tokens: [{ secret: 'right', scopes: new Set(['slave'] as const) }] });
  const env = { WDPOST_PROVER: await scriptedProver(), WDPOST_TOKEN: 'wrong' };
  await expect(run(['-c', await configFile(master.port)], env)).resolves.toEqual({
    code: 1,
    said: [expect.stringMatching(/^error: .*\(401\): the token is not known here/)],
  });
});

test('-c=FILE, as in the unit files of old, runs until SIGTERM and ends well', async () => {
  const master = await startMaster();
  const env = { ...process.env, WDPOST_PROVER: await scriptedProver(), CUDA_VISIBLE_DEVICES: '1' };
  const child = spawn(program, [`-c=${await configFile(master.port)}`], { env, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const name = expect.stringMatching(/-gpu1$/);
  await expect(master.hellos.next()).resolves.toMatchObject({ role: 'slave', slots: 2, sectorSize: null, name });
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await expect(exit).resolves.toEqual([0, null]);
});
