import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { decodeCbor } from '../../src/filecoin/cbor.ts';
import { MinerMethod } from '../../src/filecoin/miner-methods.ts';
import { declareFaultsParams, declareFaultsRecoveredParams } from '../../src/filecoin/miner-params.ts';
import { sectorList } from '../../src/programs/sector-manager/util/proving/sector-list.ts';
import { recordStore } from '../../src/stores/index/store-records.ts';
import { MINER, OPEN } from '../devnet/chain-under-test.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { provingScene } from './proving-scene.ts';

const LIMIT_MS = 60_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const messages = () => database.db.kysely.selectFrom('messages').selectAll().orderBy('position').execute();

test(
  'recover-faults and declare-faults leave a message for the manager to send',
  async () => {
    const cluster = `Database = "${database.url}"\nMaster = "127.0.0.1:1"`;
    const scene = await provingScene(OPEN - 100, { sectors: 4, cluster });
    await recordStore(database.db, { name: 'store', path: scene.store }, { tookMs: 1, sectors: 4, strange: 0 });
    const place = { deadline: '1', partition: '0', sectors: '2-3' };
    const warned = await scene.run('declare-faults', place);
    expect(warned).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining('--really-do-it'),
      json: { message: null },
    });
    expect(await messages()).toEqual([]);

    await scene.run('declare-faults', { ...place, reallyDoIt: true });
    const [declared] = await messages();
    expect(declared).toMatchObject({ method: MinerMethod.DeclareFaults, miner_id: MINER });
    const { faults } = decodeCbor(declareFaultsParams, Uint8Array.from(declared?.params ?? []));
    expect(faults.map(({ deadline, sectors }) => [deadline, [...sectors]])).toEqual([[1, [2, 3]]]);
    await expect(scene.run('declare-faults', { ...place, sectors: '0' })).rejects.toMatchObject({
      code: 'wrong-sector',
    });

    await scene.chain.land(scene.chain.declare('faults', 1, [2, 3]));
    await rm(scene.sealedFile(3));
    const recovered = await scene.run('recover-faults', { deadline: '1' });
    expect(recovered.json).toMatchObject({
      sectors: [
        { deadline: 1, partition: 0, number: 2, verdict: 'good' },
        { number: 3, verdict: 'bad' },
      ],
      messages: [{ sectors: 1 }],
    });
    const [, recovery] = await messages();
    const { recoveries } = decodeCbor(declareFaultsRecoveredParams, Uint8Array.from(recovery?.params ?? []));
    expect(recoveries.map(({ sectors }) => [...sectors])).toEqual([[2]]);

    const again = await scene.run('recover-faults');
    expect(again.text).toContain('No recoveries to declare');
    expect(await messages()).toHaveLength(2);
    await scene.chain.mineTo(OPEN - 70 + 60);
    await expect(scene.run('recover-faults', { deadline: '1' })).rejects.toMatchObject({ code: 'too-late' });
  },
  LIMIT_MS,
);

/** Reads nothing until two of it run; then says that all is good, or fails where sector 2 is among what it is to read. */
const READER = `#!${process.execPath}
import { readdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
process.stdout.write('window_post processor ready\\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { id, task } = JSON.parse(line);
  const sectors = task.replicas.map((replica) => replica.sector_id);
  writeFileSync(import.meta.dirname + '/began-' + sectors[0], '');
  while (readdirSync(import.meta.dirname).filter((name) => name.startsWith('began-')).length < 2) await sleep(5);
  const answer = sectors.includes(2) ? { err_msg: 'no memory', output: null } : { err_msg: null, output: { proofs: [], faults: [] } };
  process.stdout.write(JSON.stringify({ id, ...answer }) + '\\n');
}
`;

test(
  'deadlines are read side by side, and one that cannot be read holds up no other',
  async () => {
    const cluster = `Database = "${database.url}"\nMaster = "127.0.0.1:1"`;
    const scene = await provingScene(OPEN - 100, { sectors: 4, cluster });
    await recordStore(database.db, { name: 'store', path: scene.store }, { tookMs: 1, sectors: 4, strange: 0 });
    await database.db.kysely.deleteFrom('recoveries').execute();
    await database.db.kysely.deleteFrom('messages').execute();
    for (const [deadline, sectors] of [
      [0, 1],
      [2, 3],
    ].entries()) {
      await scene.chain.land(scene.chain.declare('faults', deadline, sectors));
    }
    const reader = join(scene.home, 'reader.mjs');
    await writeFile(reader, READER);
    await chmod(reader, 0o755);
    vi.stubEnv('WDPOST_PROVER', reader);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(await scene.run('recover-faults')).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining('deadline 1 could not be read: no memory'),
      json: {
        sectors: [
          { deadline: 0, number: 0, verdict: 'good' },
          { deadline: 0, number: 1, verdict: 'good' },
        ],
        messages: [{ sectors: 2 }],
        failed: [{ deadline: 1, reason: expect.stringContaining('no memory') }],
      },
    });
  },
  LIMIT_MS,
);

test('a list of sectors', () => {
  expect([...sectorList('7-9, 1,5')]).toEqual([1, 5, 7, 8, 9]);
  for (const text of ['', '1,', 'a', '5-3', '0-25000', undefined]) {
    expect(() => sectorList(text), String(text)).toThrow('--sectors');
  }
});
