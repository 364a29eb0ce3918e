import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { Database } from '../../src/database/database.ts';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { openManagersDatabase } from '../../src/programs/quickstart/managers-database.ts';
import { readProgress } from '../../src/programs/quickstart/progress.ts';
import { MINER, writeConfigs } from '../../src/programs/quickstart/scene.ts';
import { useScene } from './use-scene.ts';

const LIMIT_MS = 120_000;
const PARTITIONS = 6;

const world = useScene(2 * PARTITIONS);

it(
  'loses nothing and sends nothing twice when slave, manager, database and master are killed at work',
  async () => {
    const { scene, daemons } = world();
    const chain = new DevChain();
    const layout = ['--block-time', '500ms', '--skip-quiet', '--partitions-per-deadline', '2'];
    const chainArgs = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
    daemons.start('chain', 'wdpost-devnet', [...chainArgs, ...layout], (line) => chain.onLine(line));
    const { rpc, token, worker } = await chain.listening;
    await writeConfigs(scene, { rpc, token, sender: worker });
    const managerHome = join(scene.home, 'manager');
    const startManager = () =>
      daemons.start('manager', 'sector-manager', ['--home', managerHome, 'daemon', 'run', '--poster']);
    const startSlave = (name: string) =>
      daemons.start(name, 'wdpost-slave-daemon', ['-c', join(scene.home, 'slave.toml')]);
    startManager();
    startSlave('slave-1');
    startSlave('slave-2');
    const db = await openManagersDatabase(systemClock, managerHome, new AbortController().signal);
    const reached = (deadline: number, ...states: string[]) =>
      until(db, (rows) => rows.some((row) => row.deadline === deadline && states.includes(row.state)));

    await reached(0, 'proving');
    await daemons.kill('slave-1');
    startSlave('slave-1');

    await reached(0, 'proven', 'sending', 'landed');
    await daemons.kill('manager');
    startManager();

    await reached(1, 'proving');
    process.kill(Number(await readFile(join(managerHome, 'database', 'mariadbd.pid'), 'utf8')), 'SIGKILL');

    await reached(2, 'proving');
    process.kill(await daemons.pidOf('wdpost-master-daemon', managerHome), 'SIGKILL');

    const all = await until(
      db,
      (rows) => rows.length >= PARTITIONS && rows.every(({ state }) => state === 'landed' || state === 'missed'),
    );
    expect(all.map(({ deadline, partition, state }) => [deadline, partition, state])).toEqual(
      [0, 1, 2].flatMap((deadline) => [0, 1].map((partition) => [deadline, partition, 'landed'])),
    );
    expect(all.every(({ skipped }) => skipped.isEmpty)).toBe(true);
    const messages = await db.kysely.selectFrom('messages').select(['nonce', 'state']).orderBy('nonce').execute();
    expect(messages.map(({ nonce, state }) => [nonce, state])).toEqual(messages.map((_, nonce) => [nonce, 'landed']));
    await db.close();
    expect(await daemons.end('chain')).toBe(0);
    expect(all.map((row) => chain.verdictOn(row))).toEqual(all.map(() => ({ verified: true, disputed: false })));
  },
  LIMIT_MS,
);

/** The rows as soon as they are so; a database that is away is waited for. */
async function until(db: Database, isSo: (rows: Awaited<ReturnType<typeof readProgress>>) => boolean) {
  for (;;) {
    const rows = await readProgress(db).catch(() => []);
    if (isSo(rows)) return rows;
    await systemClock.sleep(100);
  }
}
