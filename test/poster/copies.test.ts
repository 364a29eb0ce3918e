import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { idAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { acceptProof } from '../../src/poster/accept-proof.ts';
import type { MinerPoster } from '../../src/poster/miner-poster.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { partition, runOf } from './runs.ts';
import { Scene } from './scene.ts';

const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
let database: TestDatabase;
let minerId = 7_000;
const posters: MinerPoster[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(posters.splice(0).map((poster) => poster.close()));
});
afterAll(() => database.drop());

function start() {
  const scene = new Scene(database.db, ++minerId, [ten]);
  const begin = () => {
    const poster = scene.poster();
    posters.push(poster);
    return poster;
  };
  const poster = begin();
  const at = async (height: number, ...states: readonly string[]) => {
    posters.at(-1)?.onHead(scene.head(height));
    await scene.reaches(...states);
  };
  /** The sealed file of sector 3 in each task. */
  const third = () => scene.submitted.map((task) => task.replicas.find((one) => one.sector_id === 3)?.sealed_file);
  /** Until so many more tasks ended without a proof, and their partition rests. */
  const fails = async (count: number) => {
    for (let left = count; left > 0; left--) {
      await scene.log.until(({ msg }) => msg === 'attempt to generate window post proof failed');
    }
    await scene.reaches('checking');
  };
  return { scene, poster, begin, at, third, fails };
}

describe('of a sector whose copy is corrupt', () => {
  it('the next copy is proven, skipping nothing, and a restart does not forget which one was corrupt', async () => {
    const { scene, poster, begin, at, third } = start();
    scene.stores = ['a', 'b'];
    scene.corrupt.add('/a/3');
    await at(91, 'proving');
    await vi.waitFor(() => expect(third()).toEqual(['/a/3', '/b/3']));
    await scene.reaches('proving');
    expect(scene.submitted[1]?.replicas.filter((replica) => replica.sealed_file.startsWith('/a/'))).toHaveLength(9);
    expect(scene.alerts.open.get(`copies-unreadable/${minerId}/0/0`)?.text).toContain('sector 3: /a/3 with /a/c3');

    await poster.close();
    for (const [id, view] of scene.tasks) scene.tasks.set(id, { ...view, state: 'failed', error: 'no GPU' });
    begin();
    await at(92, 'proving');
    await vi.waitFor(() => expect(third()).toEqual(['/a/3', '/b/3', '/b/3']));
    scene.proveAll();
    await at(104, 'sending');
    expect(await scene.skipped()).toEqual([]);
    // There is still one to mend.
    expect([...scene.alerts.open.keys()]).toEqual([`copies-unreadable/${minerId}/0/0`]);
  });

  it('it is skipped, and at once, only where no copy is left', async () => {
    const { scene, poster, at, third, fails } = start();
    scene.stores = ['a', 'b', 'c'];
    for (const store of scene.stores) scene.corrupt.add(`/${store}/3`);
    // Two failures in a row: then it rests.
    poster.onHead(scene.head(91));
    await fails(2);
    poster.onHead(scene.head(92));
    await fails(1);
    await at(94, 'proving');
    expect(third()).toEqual(['/a/3', '/b/3', '/c/3', undefined]);
    expect(await scene.skipped()).toEqual([3]);
  });

  it('and of many more none is given up before the reserve: a slave may have the wrong mount', async () => {
    const { scene, poster, at, third, fails } = start();
    for (const sector of [1, 2, 3]) scene.corrupt.add(`/a/${sector}`);
    poster.onHead(scene.head(91));
    await fails(2);
    scene.corrupt.clear();
    await at(93, 'proving');
    expect(third()).toEqual(['/a/3', '/a/3', '/a/3']);
    scene.proveAll();
    await at(104, 'sending');
    expect(await scene.skipped()).toEqual([]);
  });
});

describe('a proof that does not verify here', () => {
  it('is refused, and another one of the same task is sent', async () => {
    const { scene, at } = start();
    scene.wrong.add(1);
    await at(91, 'proving');
    scene.proveAll();
    await at(92, 'proving');
    await vi.waitFor(() => expect(scene.refused).toHaveLength(1));
    expect(scene.alerts.open.get(`proof-refused/${minerId}/0/0`)?.text).toContain('another one is made (1 of 3)');
    scene.proveAll(2);
    await at(104, 'sending');
    expect(scene.refused).toHaveLength(1);
    expect(scene.submitted).toHaveLength(1);
    expect([...scene.alerts.open.keys()]).toEqual([]);
  });

  it('is sent itself when it verifies after all, and the other one is called off', async () => {
    const { scene, at, begin, poster } = start();
    scene.verifies = false;
    await at(91, 'proving');
    scene.proveAll();
    await at(92, 'proving');
    await vi.waitFor(() => expect(scene.refused).toHaveLength(1));
    // No slave is free any more, and a restart forgets no proof.
    await poster.close();
    begin();
    scene.verifies = true;
    await at(93, 'proven');
    await vi.waitFor(() => expect(scene.cancelled).toEqual(scene.refused));
    expect([...scene.alerts.open.keys()]).toEqual([]);
    await at(104, 'sending');
    expect(scene.submitted).toHaveLength(1);
  });

  it('is not refused in the reserve, when no other one can be made in time', async () => {
    const { scene, at } = start();
    scene.verifies = false;
    await at(145, 'proving');
    scene.proveAll();
    await at(146, 'proving');
    const condition = `proof-refused/${minerId}/0/0`;
    await vi.waitFor(() => expect(scene.alerts.open.get(condition)?.text).toContain('there is no time left'));
    scene.verifies = true;
    await at(147, 'sending');
    expect(scene.refused).toEqual([]);
  });

  it('and that the master did not forget costs no try', async () => {
    const { scene, at } = start();
    scene.verifies = false;
    scene.takesRefusals = false;
    await at(91, 'proving');
    scene.proveAll();
    for (const [turn, height] of [92, 94, 97, 102].entries()) {
      await at(height, 'proving');
      await vi.waitFor(() => expect(scene.refused.length).toBeGreaterThan(turn));
    }
    scene.takesRefusals = true;
    await at(112, 'proving');
    const condition = `proof-refused/${minerId}/0/0`;
    await vi.waitFor(() => expect(scene.alerts.open.get(condition)?.text).toContain('(1 of 3)'));
  });

  it('that did not when it was to be sent is looked at again, too', async () => {
    const { scene, at } = start();
    await at(91, 'proving');
    scene.proveAll();
    await at(92, 'proven');
    scene.verifies = false;
    scene.verdicts.set(3, 'unknown');
    await at(104, 'checking');
    scene.verifies = true;
    await at(105, 'sending');
    expect(scene.submitted).toHaveLength(1);
  });

  it('is not made anew for ever, and the last one is looked at again', async () => {
    const { scene, at, begin, poster } = start();
    scene.verifies = false;
    await at(91, 'proving');
    for (const [turn, height] of [92, 93, 95].entries()) {
      scene.proveAll();
      await at(height, 'proving');
      await vi.waitFor(() => expect(scene.refused).toHaveLength(turn + 1));
    }
    // A restart forgets no refusal.
    await poster.close();
    begin();
    scene.proveAll();
    await at(96, 'proving');
    const condition = `proof-refused/${minerId}/0/0`;
    await vi.waitFor(() =>
      expect(scene.alerts.open.get(condition)?.text).toContain('no other one is made any more (3 were)'),
    );
    expect(scene.refused).toHaveLength(3);
    // The parameter files are mended.
    scene.verifies = true;
    await at(104, 'sending');
    expect(scene.refused).toHaveLength(3);
  });

  it('since the chain has another challenge now is nobody’s fault', async () => {
    const { scene } = start();
    scene.verifies = false;
    const one = partition(0, { state: 'proving', taskId: 'task', sectors: Bitfield.empty });
    const proven = {
      run: runOf(one),
      partition: one,
      proof: new Uint8Array(192),
      infos: new Map(),
      head: scene.head(92),
      mayRefuse: true,
    };
    const miner = { address: idAddress(minerId) };
    await expect(acceptProof(scene.components, miner, proven)).rejects.toMatchObject({ code: 'invalid-proof' });
    expect(scene.refused).toEqual([]);
    expect([...scene.alerts.open.keys()]).toEqual([]);
  });
});
