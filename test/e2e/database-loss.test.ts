import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { loadMasterConfig } from '../../src/config/master-file.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { openManagersDatabase } from '../../src/programs/quickstart/managers-database.ts';
import { readProgress } from '../../src/programs/quickstart/progress.ts';
import { MINER, writeConfigs } from '../../src/programs/quickstart/scene.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { useScene } from './use-scene.ts';

const LIMIT_MS = 300_000;
const BLOCK_MS = 500;
const SLOW_BLOCK_MS = 2_000;
const PARTITIONS = 6;

const world = useScene(2 * PARTITIONS);

it(
  'a database that is lost, emptied or restored from an older dump in an open deadline costs no post and repeats none',
  async () => {
    const { scene, daemons } = world();
    const chain = new DevChain();
    const posts: Post[] = [];
    const layout = ['--block-time', `${BLOCK_MS}ms`, '--skip-quiet', '--partitions-per-deadline', '2'];
    const chainArgs = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
    daemons.start('chain', 'wdpost-devnet', [...chainArgs, ...layout], (line) => {
      chain.onLine(line);
      const event = JSON.parse(line);
      if (event.event === 'verified') posts.push(event);
    });
    const { rpc, token, worker } = await chain.listening;
    const setBlockTime = (ms: number) => call(rpc, token, 'Devnet.SetBlockTime', [ms]);
    await writeConfigs(scene, { rpc, token, sender: worker });
    const managerHome = join(scene.home, 'manager');
    const startManager = () =>
      daemons.start('manager', 'sector-manager', ['--home', managerHome, 'daemon', 'run', '--poster']);
    startManager();
    daemons.start('slave', 'wdpost-slave-daemon', ['-c', join(scene.home, 'slave.toml')]);
    const made = await openManagersDatabase(systemClock, managerHome, new AbortController().signal);
    await made.close();
    // One that makes no tables by itself, which the programs have to.
    const { config } = await loadMasterConfig(join(managerHome, 'embedded_master.toml'));
    const db = await openDatabase({ clock: systemClock, logger: silentLogger }, { url: config.db.url });
    const reached = (deadline: number, ...states: string[]) =>
      until(db, (rows) => {
        const own = rows.filter((row) => row.deadline === deadline);
        return own.length === 2 && own.every((row) => states.includes(row.state));
      });
    const reachedBySome = (deadline: number, state: string) =>
      until(db, (rows) => rows.some((row) => row.deadline === deadline && row.state === state));

    // Lost with the manager's machine, while a message is in the pool and nobody puts it on the chain.
    await reachedBySome(0, 'proving');
    await setBlockTime(0);
    await reached(0, 'proven');
    const run = await db.kysely.selectFrom('post_runs').select('open_epoch').executeTakeFirstOrThrow();
    await untilPooled(rpc, token, run.open_epoch);
    const dataDir = join(managerHome, 'database');
    const databasePid = Number(await readFile(join(dataDir, 'mariadbd.pid'), 'utf8'));
    await daemons.kill('manager');
    process.kill(databasePid, 'SIGKILL');
    await rm(dataDir, { recursive: true, maxRetries: 10, retryDelay: 200 });
    startManager();
    await reached(0, 'sending');
    await setBlockTime(BLOCK_MS);

    // Emptied by somebody while everything runs; proving anew takes its time.
    await reachedBySome(1, 'proving');
    await setBlockTime(SLOW_BLOCK_MS);
    await dropAllTables(db);
    await reached(1, 'proven', 'sending', 'landed');
    await setBlockTime(BLOCK_MS);

    // Restored from a dump of the time when nothing of this deadline was sent.
    await reachedBySome(2, 'proving');
    await setBlockTime(0);
    await reached(2, 'proven');
    await copyTables(db, 'wdpost', 'dump');
    await setBlockTime(BLOCK_MS);
    await reached(2, 'landed');
    await setBlockTime(SLOW_BLOCK_MS);
    await swapTables(db, 'dump', 'wdpost');
    const before = await readProgress(db);
    expect(before.filter((row) => row.deadline === 2).map((row) => row.state)).not.toContain('landed');

    const rows = await reached(2, 'landed');
    expect(rows.every(({ skipped, state }) => skipped.isEmpty && state === 'landed')).toBe(true);
    await db.close();
    const { Nonce } = await call(rpc, token, 'Filecoin.StateGetActor', [worker, []]);
    expect(await daemons.end('chain')).toBe(0);
    // Each partition once, and no message of ours that the chain had no use for.
    const posted = posts.flatMap(({ deadline, partition }) => partition.map((index) => `${deadline}/${index}`));
    expect(posted.sort()).toEqual(['0/0', '0/1', '1/0', '1/1', '2/0', '2/1']);
    expect(Nonce).toBe(posts.length);
  },
  LIMIT_MS,
);

interface Post {
  readonly deadline: number;
  readonly partition: readonly number[];
}

/** The rows as soon as they are so; a database that is away is waited for. */
async function until(db: Database, isSo: (rows: Awaited<ReturnType<typeof readProgress>>) => boolean) {
  for (;;) {
    const rows = await readProgress(db).catch(() => []);
    if (rows.length > 0 && isSo(rows)) return rows;
    await systemClock.sleep(100);
  }
}

async function tablesOf(db: Database, schema: string, type = 'BASE TABLE'): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = ${schema} AND table_type = ${type}`.execute(db.kysely);
  return rows.map(({ name }) => name);
}

async function execute(db: Database, statement: string): Promise<void> {
  await sql.raw(statement).execute(db.kysely);
}

async function dropAllTables(db: Database): Promise<void> {
  const views = await tablesOf(db, 'wdpost', 'VIEW');
  if (views.length > 0) await execute(db, `DROP VIEW ${views.join(', ')}`);
  await execute(db, `DROP TABLE ${(await tablesOf(db, 'wdpost')).join(', ')}`);
}

async function copyTables(db: Database, from: string, to: string): Promise<void> {
  await execute(db, `CREATE DATABASE ${to}`);
  for (const table of await tablesOf(db, from)) {
    await execute(db, `CREATE TABLE ${to}.${table} LIKE ${from}.${table}`);
    await execute(db, `INSERT INTO ${to}.${table} SELECT * FROM ${from}.${table}`);
  }
}

/** All at once: the tables of `to` are gone, those of `from` in their place. */
async function swapTables(db: Database, from: string, to: string): Promise<void> {
  await execute(db, 'CREATE DATABASE gone');
  const moves = (await tablesOf(db, from)).map(
    (table) => `${to}.${table} TO gone.${table}, ${from}.${table} TO ${to}.${table}`,
  );
  await execute(db, `RENAME TABLE ${moves.join(', ')}`);
}

/** From the deadline's opening on blocks are made one by one until a message of ours waits in the pool. */
async function untilPooled(rpc: string, token: string, openEpoch: number): Promise<void> {
  const { Height } = await call(rpc, token, 'Filecoin.ChainHead', []);
  await call(rpc, token, 'Devnet.Mine', [Math.max(openEpoch - Height, 0)]);
  for (;;) {
    for (let look = 0; look < 10; look++) {
      if ((await call(rpc, token, 'Filecoin.MpoolPending', [[]])).length > 0) return;
      await systemClock.sleep(100);
    }
    await call(rpc, token, 'Devnet.Mine', [1]);
  }
}

async function call(rpc: string, token: string, method: string, params: readonly unknown[]) {
  const response = await fetch(rpc.replace(/^ws/, 'http'), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const answer = JSON.parse(await response.text());
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}
