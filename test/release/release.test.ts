import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';
import { unpackRelease } from './unpacked.ts';

const run = promisify(execFile);

let root: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ root, remove } = await unpackRelease());
});
afterAll(() => remove());

/** Nothing of the checkout, of npm or of Rust is there. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const { FIL_PROOFS_PARAMETER_CACHE } = process.env;
  return { PATH: `${process.execPath.replace(/\/node$/, '')}:/usr/bin:/bin`, HOME: root, FIL_PROOFS_PARAMETER_CACHE };
}

test.each([
  ['bin/sector-manager', '--help'],
  ['bin/wdpost-master-daemon', '--help'],
  ['bin/wdpost-slave-daemon', '--help'],
  ['bin/gen_cache_and_param_blst', '--help'],
  ['bin/install', '--help'],
  ['bin/sector-manager', '--version'],
  ['bin/wdpost-master-daemon', '--version'],
  ['bin/wdpost-slave-daemon', '--version'],
  ['dist/bin/prover-tools', '--version'],
])('%s %s', async (program, argument) => {
  const { stdout } = await run(join(root, program), [argument], { cwd: '/', env: bareEnvironment() });
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(stdout).toContain(argument === '--help' ? 'xample' : version);
});

test('packages for development are left out', async () => {
  await expect(run('ls', [join(root, 'node_modules/vitest')])).rejects.toThrow();
  await expect(run('ls', [join(root, 'node_modules/typescript')])).rejects.toThrow();
});

test('its master and slave start and find each other', { timeout: 120_000 }, async () => {
  const { url, drop } = await createTestDatabase();
  onTestFinished(drop);
  const home = await mkdtemp(join(tmpdir(), 'release-home-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const start = (program: string, file: string): EventQueue<{ msg: string; port?: number }> => {
    const child = spawn(join(root, 'bin', program), ['-c', file], {
      cwd: '/',
      env: bareEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    onTestFinished(async () => {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await exit).toEqual([0, null]);
    });
    const log = new EventQueue<{ msg: string; port?: number }>();
    createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line)));
    return log;
  };
  const masterFile = join(home, 'wdpost_master.toml');
  await writeFile(masterFile, `[server]\nlisten = '127.0.0.1:0'\n[db]\nurl = '${url}'\n`);
  const { port } = await start('wdpost-master-daemon', masterFile).until(({ msg }) => msg === 'master listens');
  const slaveFile = join(home, 'slave.toml');
  await writeFile(slaveFile, `[master]\nserver_addr = '127.0.0.1:${port}'\n[slave]\nname = 'from-the-release'\n`);
  const ready = await start('wdpost-slave-daemon', slaveFile).until(({ msg }) => msg.startsWith('slave '));
  expect(ready).toMatchObject({ msg: 'slave ready', slave: 'from-the-release', slots: 1 });
  const verb = ['slaves', 'list', '--json', '--master', `127.0.0.1:${port}`];
  const { stdout } = await run(join(root, 'bin/wdpost-master-daemon'), verb, { env: bareEnvironment() });
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'from-the-release', state: 'ready' }]);
});
