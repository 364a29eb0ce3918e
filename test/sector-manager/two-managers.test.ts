import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test as baseTest, expect } from 'vitest';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { readProgress } from '../../src/programs/quickstart/progress.ts';
import { MINER, type Scene, writeConfigs } from '../../src/programs/quickstart/scene.ts';
import { useScene } from '../e2e/use-scene.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';

interface LogLine {
  readonly msg: string;
  readonly [key: string]: unknown;
}

interface ManagerProcess {
  readonly child: ChildProcess;
  readonly log: EventQueue<LogLine>;
  /** What it answers at /metrics. */
  readonly metrics: () => Promise<string>;
  readonly exit: Promise<unknown>;
}

interface Managers {
  readonly schema: TestDatabase;
  readonly chain: DevChain;
  readonly leader: ManagerProcess;
  readonly standby: ManagerProcess;
  readonly endChain: () => Promise<unknown>;
}

const program = fileURLToPath(new URL('../../bin/sector-manager', import.meta.url));
const LIMIT_MS = 90_000;
const world = useScene(4);

/** Two managers on one database, the first one leads; with a chain, a master and a slave. */
const test = baseTest.extend<{ managers: Managers }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures from a pattern
  managers: async ({}, use) => {
    const { scene, daemons } = world();
    const schema = await createTestDatabase();
    const masterFile = join(scene.home, 'master.toml');
    await writeFile(masterFile, `[server]\nlisten = '127.0.0.1:${scene.masterPort}'\n[db]\nurl = '${schema.url}'\n`);
    daemons.start('master', 'wdpost-master-daemon', ['-c', masterFile]);
    const chain = new DevChain();
    const home = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
    const layout = ['--block-time', '500ms', '--start-epoch', '132', '--partitions-per-deadline', '2'];
    daemons.start('chain', 'wdpost-devnet', [...home, ...layout], (line) => chain.onLine(line));
    const { rpc, token, worker: sender } = await chain.listening;
    await writeConfigs(scene, { rpc, token, sender });
    daemons.start('slave', 'wdpost-slave-daemon', ['-c', join(scene.home, 'slave.toml')]);
    const config = { rpc, token, sender, database: schema.url };
    const leader = await startManager(scene, 'first', config);
    await leader.log.until(({ msg }) => msg === 'manager leads');
    const standby = await startManager(scene, 'second', config);
    await standby.log.until(({ msg }) => msg === 'manager stands by');
    await use({ schema, chain, leader, standby, endChain: () => daemons.end('chain') });
    for (const { child, exit } of [leader, standby]) {
      child.kill('SIGKILL');
      await exit;
    }
    await daemons.stop();
    await schema.drop();
  },
});

async function startManager(
  scene: Scene,
  name: string,
  init: { rpc: string; token: string; sender: string; database: string },
): Promise<ManagerProcess> {
  const home = join(scene.home, name);
  await mkdir(home);
  await writeFile(
    join(home, 'sector-manager.cfg'),
    `[Common.API]
Chain = "${init.rpc}"
Token = "${init.token}"

[Common.Cluster]
Database = "${init.database}"
Master = "127.0.0.1:${scene.masterPort}"

[Common.Metrics]
Listen = "127.0.0.1:0"

[[Common.PersistStores]]
Name = "store"
Path = "${scene.store}"
ReadOnly = true

[[Miners]]
Actor = ${MINER}

[Miners.PoSt]
Sender = "${init.sender}"
Confidence = 3
ChallengeConfidence = 4
`,
  );
  const child = spawn(program, ['--home', home, 'daemon', 'run', '--poster'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log = new EventQueue<LogLine>();
  child.stderr.pipe(createWriteStream(join(scene.logs, `${name}.log`)));
  createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line)));
  const exit = once(child, 'close');
  const { port } = await log.until(({ msg }) => msg === 'metrics are served');
  const metrics = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return { child, log, metrics, exit };
}

/** Resolves when every partition has ended. */
async function results(schema: TestDatabase) {
  const ends = ['landed', 'missed'];
  const isOver = (rows: Awaited<ReturnType<typeof readProgress>>) =>
    rows.length === 2 && rows.every(({ state }) => ends.includes(state));
  await expect.poll(async () => isOver(await readProgress(schema.db)), { timeout: LIMIT_MS, interval: 200 }).toBe(true);
  return await readProgress(schema.db);
}

async function sent(schema: TestDatabase): Promise<number> {
  return (await schema.db.kysely.selectFrom('messages').select('id').execute()).length;
}

const isProven = ({ msg }: LogLine) => msg === 'partition batch done';

test(
  'a manager that is killed in the middle of a deadline is replaced within thirty seconds, and nothing is lost or sent twice',
  async ({ managers: { schema, chain, leader, standby, endChain } }) => {
    await leader.log.until(isProven);
    expect(await leader.metrics()).toMatch(/^wdpost_leads 1$/m);
    const standingBy = await standby.metrics();
    expect(standingBy).toMatch(/^wdpost_leads 0$/m);
    expect(standingBy).toMatch(/^wdpost_runs\{state="ok"\} 1$/m);
    expect(standingBy).toMatch(/^wdpost_store_trusted\{store="store"\} 1$/m);
    leader.child.kill('SIGKILL');
    const before = performance.now();
    expect(await standby.log.until(({ msg }) => msg === 'manager leads')).toMatchObject({ epoch: 2 });
    expect(performance.now() - before).toBeLessThan(30_000);
    const rows = await results(schema);
    expect(rows.map(({ state }) => state)).toEqual(['landed', 'landed']);
    expect(await sent(schema)).toBe(new Set(rows.map(({ messageCid }) => messageCid)).size);
    await endChain();
    expect(rows.map((row) => chain.verdictOn(row))).toEqual(rows.map(() => ({ verified: true, disputed: false })));
  },
  LIMIT_MS,
);

test(
  'a manager that stood still finds itself replaced, writes nothing, and stands by',
  async ({ managers: { schema, leader, standby } }) => {
    await leader.log.until(isProven);
    leader.child.kill('SIGSTOP');
    await standby.log.until(({ msg }) => msg === 'manager leads');
    leader.child.kill('SIGCONT');
    expect(await leader.log.until(({ msg }) => msg === 'manager leads no more')).toMatchObject({ epoch: 1 });
    const rows = await results(schema);
    expect(rows.map(({ state }) => state)).toEqual(['landed', 'landed']);
    expect(await sent(schema)).toBe(new Set(rows.map(({ messageCid }) => messageCid)).size);
    // And leads again when the other one stops.
    standby.child.kill('SIGTERM');
    expect(await leader.log.until(({ msg }) => msg === 'manager leads')).toMatchObject({ epoch: 3 });
  },
  LIMIT_MS,
);
