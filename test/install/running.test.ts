import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { notifySocket } from '../cli/notify-socket.ts';
import { unpackRelease } from '../release/unpacked.ts';
import { createTestDatabase } from '../support/database.ts';
import { freePorts } from '../support/mariadb-server.ts';
import { startUnit } from './unit.ts';

const run = promisify(execFile);

let prefix: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  const release = await unpackRelease();
  remove = release.remove;
  prefix = join(release.root, 'host');
  await run(join(release.root, 'bin/install'), ['--prefix', prefix]);
});
afterAll(() => remove());

function endAfterTest(child: ChildProcess): void {
  onTestFinished(async () => {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });
}

/** Starts a unit's command line and waits for what systemd waits for. */
async function start(name: string, instance?: string): Promise<{ env: NodeJS.ProcessEnv }> {
  const { path, said } = await notifySocket();
  const file = join(prefix, 'etc/systemd/system', `${name}.service`);
  const tmp = join(prefix, 'run', `${name}${instance ?? ''}`);
  await mkdir(tmp, { recursive: true });
  const { FIL_PROOFS_PARAMETER_CACHE } = process.env;
  const env = {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    NOTIFY_SOCKET: path,
    WATCHDOG_USEC: '600000',
    FIL_PROOFS_PARAMETER_CACHE,
    TMPDIR: tmp,
    WDPOST_LOCK_DIR: tmp,
  };
  const child = await startUnit(file, { env, ...(instance !== undefined && { instance }) });
  endAfterTest(child);
  expect(await said.next()).toBe('READY=1');
  expect(await said.next()).toBe('WATCHDOG=1');
  expect(await said.next()).toBe('WATCHDOG=1');
  return { env };
}

/** A chain node with one miner of two sectors. */
async function startDevnet(): Promise<{ api: string; token: string }> {
  const home = join(prefix, 'devnet');
  const store = join(prefix, 'store');
  await mkdir(home);
  const fake = ['sectors', 'fake', '--miner', '1000', '--size', '2KiB', '--count', '2', '--out', store];
  const { stdout } = await run(join(prefix, 'usr/local/bin/prover-tools'), fake);
  await writeFile(join(home, 'sectors'), stdout);
  const options = ['--home', home, '--miner', 't01000', '--sectors', join(home, 'sectors'), '--block-time', '1s'];
  const devnet = spawn(join(prefix, 'usr/local/bin/wdpost-devnet'), options, { stdio: ['ignore', 'pipe', 'inherit'] });
  endAfterTest(devnet);
  await once(createInterface({ input: devnet.stdout }), 'line');
  const [api, token] = await Promise.all(['api', 'token'].map((file) => readFile(join(home, file), 'utf8')));
  return { api: (api ?? '').trim(), token: (token ?? '').trim() };
}

/** Packing, unpacking, and seven programs that start, on two cores. */
const LIMIT_MS = 120_000;

test("the units' own command lines run, and tell systemd when they are ready and that they live", {
  timeout: LIMIT_MS,
}, async () => {
  const { url, drop } = await createTestDatabase();
  onTestFinished(drop);
  const [port] = await freePorts(1);
  const { api, token } = await startDevnet();
  const etc = join(prefix, 'etc/wdpost');
  await writeFile(join(etc, 'wdpost_master.toml'), `[server]\nlisten = '127.0.0.1:${port}'\n[db]\nurl = '${url}'\n`);
  await writeFile(join(etc, 'slave.toml'), `[master]\nserver_addr = '127.0.0.1:${port}'\n`);
  await writeFile(
    join(etc, 'sector-manager.cfg'),
    `[Common.API]
Chain = '${api}'
Token = '${token}'
[[Common.PersistStores]]
Name = 'store'
Path = '${join(prefix, 'store')}'
[Common.Cluster]
Database = '${url}'
Master = '127.0.0.1:${port}'
[[Miners]]
Actor = 1000
[Miners.PoSt]
Enabled = true
Sender = 't01001'
`,
  );
  await start('wdpost-master');
  await start('wdpost-slave@', '0');
  await start('sector-manager');
  const verb = ['slaves', 'list', '--json', '-c', join(etc, 'wdpost_master.toml')];
  const { stdout } = await run(join(prefix, 'usr/local/bin/wdpost-master-daemon'), verb);
  expect(JSON.parse(stdout)).toMatchObject([{ name: expect.stringMatching(/-gpu0$/), slots: 1 }]);
});
