import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { Database } from '../../src/database/database.ts';
import { proverBinary } from '../../src/ext-processor/prover-binary.ts';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { openManagersDatabase } from '../../src/programs/quickstart/managers-database.ts';
import { readProgress } from '../../src/programs/quickstart/progress.ts';
import { MINER, writeConfigs } from '../../src/programs/quickstart/scene.ts';
import { useScene } from './use-scene.ts';

const world = useScene(4);

it('without a master: children that speak lines prove; child and manager are killed at work, and nothing is lost', async () => {
  const { scene, daemons } = world();
  const chain = new DevChain();
  const layout = ['--block-time', '750ms', '--skip-quiet', '--partitions-per-deadline', '1'];
  const chainArgs = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
  daemons.start('chain', 'wdpost-devnet', [...chainArgs, ...layout], (line) => chain.onLine(line));
  const { rpc, token, worker } = await chain.listening;
  await writeConfigs(scene, { rpc, token, sender: worker });
  const home = join(scene.home, 'manager');
  const file = join(home, 'sector-manager.cfg');
  const config = await readFile(file, 'utf8');
  await writeFile(file, config.replace(/\[Common.Cluster\]\nMaster = .*\n/, ''));
  // The second one is the prover of this installation.
  const mark = `${scene.home}/store`;
  const args = JSON.stringify(['processor', 'window_post', '--store', mark]);
  const first = `[[WdPost]]\nBin = '${proverBinary()}'\nArgs = ${args}\nWeight = 5\nReadyTimeoutSecs = 60\n`;
  await writeFile(join(home, 'ext-prover.cfg'), `${first}\n[[WdPost]]\nConcurrent = 2\n`);
  const start = () =>
    daemons.start('manager', 'sector-manager', ['--home', home, 'daemon', 'run', '--poster', '--ext-prover']);
  start();
  const db = await openManagersDatabase(systemClock, home, new AbortController().signal);

  await until(db, (rows) => rows.some(({ state }) => state === 'proving'));
  process.kill(await daemons.pidOf('processor\0window_post\0--store', mark), 'SIGKILL');
  await until(db, (rows) => rows.some(({ deadline, state }) => deadline === 0 && state === 'landed'));
  const slots = await db.kysely.selectFrom('slaves').select(['name', 'slots']).execute();
  expect(slots).toEqual([{ name: 'ext-prover', slots: 3 }]);
  await until(db, (rows) => rows.some(({ deadline, state }) => deadline === 1 && state === 'proving'));
  await daemons.kill('manager');
  start();
  const all = await until(
    db,
    (rows) => rows.length >= 2 && rows.every(({ state }) => state === 'landed' || state === 'missed'),
  );
  await db.close();
  expect(all.map(({ deadline, state, skipped }) => [deadline, state, skipped.isEmpty])).toEqual([
    [0, 'landed', true],
    [1, 'landed', true],
  ]);
  expect(await daemons.end('manager')).toBe(0);
  expect(await daemons.end('chain')).toBe(0);
  expect(all.map((row) => chain.verdictOn(row))).toEqual(all.map(() => ({ verified: true, disputed: false })));
}, 150_000);

/** The rows as soon as they are so; a database that is away is waited for. */
async function until(db: Database, isSo: (rows: Awaited<ReturnType<typeof readProgress>>) => boolean) {
  for (;;) {
    const rows = await readProgress(db).catch(() => []);
    if (isSo(rows)) return rows;
    await systemClock.sleep(100);
  }
}
