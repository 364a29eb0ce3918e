import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MinerPoster } from '../../src/poster/miner-poster.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { Scene } from './scene.ts';

const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
let database: TestDatabase;
let minerId = 2_000;
const posters: MinerPoster[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(posters.splice(0).map((poster) => poster.close()));
});
afterAll(() => database.drop());

function start(partitions: readonly (readonly number[])[], more: Parameters<Scene['poster']>[0] = {}) {
  const scene = new Scene(database.db, ++minerId, partitions);
  const poster = scene.poster(more);
  posters.push(poster);
  /** Shows heads until the partitions are in these states; the time until then is the poster's own. */
  const at = async (height: number, ...states: readonly string[]) => {
    poster.onHead(scene.head(height));
    await scene.reaches(...states);
  };
  return { scene, poster, at };
}

/** A look at `height` and its end: the next one comes at the recheck interval. */
async function look(scene: Scene, poster: MinerPoster, height: number): Promise<void> {
  const looked = new Promise<void>((resolve) => {
    scene.onCheck = resolve;
  });
  poster.onHead(scene.head(height));
  await looked;
}

describe('storage trouble', () => {
  it('of every store around Open, for five minutes and more, skips nothing', async () => {
    const { scene, poster, at } = start([ten]);
    for (const sector of ten) scene.verdicts.set(sector, 'unknown');
    for (const height of [91, 95, 99, 103, 107, 111]) await look(scene, poster, height);
    expect(await scene.rows()).toMatchObject([{ state: 'checking' }]);
    expect([...scene.alerts.open.keys()]).toEqual([`partition-at-risk/${minerId}/0`]);
    scene.verdicts.clear();
    await at(115, 'proving');
    scene.proveAll();
    await at(116, 'sending');
    expect(await scene.skipped()).toEqual([]);
    expect([...scene.alerts.open.keys()]).toEqual([]);
  });

  it('of one store for the whole window costs its sectors alone, with the reserve kept', async () => {
    const { scene, poster, at } = start([ten]);
    scene.verdicts.set(3, 'unknown');
    for (const height of [91, 100, 120, 134]) await look(scene, poster, height);
    expect(await scene.rows()).toMatchObject([{ state: 'checking' }]);
    // 25 epochs before Close: 10 for the message, 15 for a slow proof.
    await at(135, 'proving');
    expect(await scene.skipped()).toEqual([3]);
    expect(scene.alerts.open.get(`sectors-skipped/${minerId}/0/0`)?.text).toContain('1 sectors');
    scene.proveAll();
    await at(136, 'sending');
  });

  it('of too much leaves the partition unsent, until it is back', async () => {
    const { scene, poster, at } = start([ten]);
    for (const sector of [0, 1, 2]) scene.verdicts.set(sector, 'bad');
    await look(scene, poster, 91);
    await at(135, 'left-out');
    const [row] = await scene.rows();
    expect(row?.reason).toMatch(/^3 of 10 sectors cannot be read/);
    await vi.waitFor(() => expect([...scene.alerts.open.keys()]).toEqual([`partition-at-risk/${minerId}/0`]));
    scene.verdicts.set(2, 'good');
    await at(140, 'proving');
    expect(await scene.skipped()).toEqual([0, 1]);
    scene.proveAll();
    await at(141, 'sending');
  });
});

it('is not tried without a rest what fails again and again', async () => {
  const { scene, poster, at } = start([ten]);
  scene.fails = true;
  await at(136, 'left-out');
  await vi.waitFor(() => expect(scene.submitted).toHaveLength(2), { timeout: 10_000 });
  await scene.reaches('left-out');
  poster.wake();
  await poster.close();
  expect(scene.submitted).toHaveLength(2);
  posters.splice(0);
  const later = scene.poster();
  posters.push(later);
  scene.fails = false;
  later.onHead(scene.head(137));
  await scene.reaches('proving');
});

describe('submission to the master', () => {
  const three = [
    [0, 1],
    [2, 3],
    [4, 5],
  ];
  const first = (scene: Scene) => scene.submitted.map((task) => task.replicas[0]?.sector_id);

  it('is in order without Parallel, and a failing one delays no other', async () => {
    const { scene, at } = start(three);
    let isRefused = true;
    scene.beforeSubmit = async (task) => {
      if (task.replicas[0]?.sector_id === 0 && isRefused) throw new Error('the master does not take it');
      if (task.replicas[0]?.sector_id === 2) await new Promise((resolve) => setImmediate(resolve));
    };
    await at(91, 'checking', 'proving', 'proving');
    isRefused = false;
    await at(92, 'proving', 'proving', 'proving');
    expect(first(scene)).toEqual([2, 4, 0]);
  });

  it('is all at once with Parallel', async () => {
    const { scene, poster } = start(three, { parallel: true });
    let waiting = 0;
    const allThere = new Promise<void>((resolve) => {
      scene.beforeSubmit = async () => {
        waiting++;
        if (waiting === 3) resolve();
        await allThere;
      };
    });
    poster.onHead(scene.head(91));
    await allThere;
    await scene.reaches('proving', 'proving', 'proving');
  });
});

describe('a message', () => {
  const two = [
    [0, 1],
    [2, 3],
  ];

  it('is one, also with two managers by mistake', async () => {
    const { scene, poster, at } = start(two);
    const other = scene.poster();
    posters.push(other);
    await at(91, 'proving', 'proving');
    scene.proveAll();
    await at(95, 'proven', 'proven');
    other.onHead(scene.head(104));
    poster.onHead(scene.head(104));
    await scene.reaches('sending', 'sending');
    other.onHead(scene.head(105));
    poster.onHead(scene.head(105));
    await Promise.all(posters.splice(0).map((one) => one.close()));
    expect(await scene.messages()).toMatchObject([{ state: 'intended', expires_epoch: 160 }]);
  });

  it('for a chain that is no more is withdrawn, and made anew from a new proof', async () => {
    const { scene, at } = start(two);
    await at(91, 'proving', 'proving');
    scene.proveAll();
    await at(95, 'proven', 'proven');
    await at(104, 'sending', 'sending');
    scene.fork = 1;
    await at(105, 'proving', 'proving');
    const [stale, ...none] = await scene.messages();
    expect([stale?.expires_epoch, none]).toEqual([0, []]);
    scene.proveAll();
    await at(106, 'sending', 'sending');
    const expiries = (await scene.messages()).filter(({ id }) => id !== stale?.id).map((one) => one.expires_epoch);
    expect(new Set(expiries)).toEqual(new Set([160]));
  });

  it('that landed is delivered again when the chain has it no more, and the run is closed only when Close is deep', async () => {
    const { scene, at } = start(two);
    await at(91, 'proving', 'proving');
    scene.proveAll();
    await at(95, 'proven', 'proven');
    await at(104, 'sending', 'sending');
    const set = (state: 'landed') => database.db.kysely.updateTable('messages').set({ state }).execute();
    await set('landed');
    scene.posted = [0, 1];
    await at(116, 'landed', 'landed');
    scene.posted = [];
    await at(117, 'sending', 'sending');
    expect((await scene.messages()).map(({ state }) => state)).toEqual(['pushed']);
    await set('landed');
    scene.posted = [0, 1];
    await at(118, 'landed', 'landed');
    await at(160, 'landed', 'landed');
    await at(200, 'landed', 'landed');
    await vi.waitFor(async () => expect(await scene.isFinished()).toBe(true), { timeout: 10_000 });
  });

  it('is made after all when the head went beyond Close and came back', async () => {
    const { scene, at } = start(two);
    await at(91, 'proving', 'proving');
    await at(161, 'missed', 'missed');
    expect(await scene.isFinished()).toBe(false);
    await at(120, 'proving', 'proving');
    scene.proveAll();
    await at(121, 'sending', 'sending');
  });
});
