import { afterEach, expect, test, vi } from 'vitest';
import type { Clock } from '../../../src/clock/clock.ts';
import { systemClock } from '../../../src/clock/system-clock.ts';
import { IndexerClient } from '../../../src/programs/sector-manager/venus-rpc/indexer-client.ts';
import { ProxiedIndex } from '../../../src/programs/sector-manager/venus-rpc/proxied-index.ts';
import { serveVenusRpc } from '../../../src/programs/sector-manager/venus-rpc/serve-venus-rpc.ts';
import type { Copy } from '../../../src/stores/index/sector-index.ts';
import { IndexedPlaces } from '../../../src/stores/indexed-places.ts';
import type { WantedSector } from '../../../src/stores/sector-check.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { ManualClock } from '../../rpc/manual-clock.ts';
import { startOldDaemon } from '../../support/old-daemon.ts';
import { silentLogger } from '../../support/silent-logger.ts';

const MINER = 1000;
/** Calls that the client has under way at most. */
const WINDOW = 128;
const SILENCE_MS = 1_500;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const sectors = (count: number, from = 0): WantedSector[] =>
  Array.from({ length: count }, (_, index) => ({ number: from + index, upgraded: false }));
const both = (store: string): readonly Copy[] => [{ store, hasSealed: true, hasCache: true }];
const storesOf = (located: ReadonlyMap<number, readonly Copy[]>) =>
  [...located].sort(([left], [right]) => left - right).map(([number, [copy]]) => `${number} ${copy?.store}`);

/** An index that has every sector in one store, and counts what it is asked. */
function indexOf(store: string) {
  const asked: number[] = [];
  return {
    asked,
    async locate(_: number, wanted: readonly WantedSector[]) {
      asked.push(wanted.length);
      return new Map(wanted.map(({ number }) => [number, both(store)]));
    },
    shares: async () => [],
    add: async () => {},
    scannedStores: async () => new Set([store]),
  };
}

type OnFind = Parameters<typeof startOldDaemon>[0];

async function proxied(init: {
  readonly clock: Clock;
  readonly own: ReturnType<typeof indexOf>;
  readonly onFind: OnFind;
}) {
  const daemon = await startOldDaemon(init.onFind);
  closers.push(() => daemon.close());
  const other = new IndexerClient(init, { address: daemon.address, silenceMs: SILENCE_MS });
  return { daemon, other, index: new ProxiedIndex({ ...init, logger: silentLogger }, { other, own: init.own }) };
}

test('four full partitions side by side are all found, and a manager of ours asks its database seldom', async () => {
  const held = indexOf('z');
  const health = {
    report: async () => ({ status: 'ok', troubles: [], leads: true, height: 1, headAgeSeconds: 1 }) as const,
  };
  const components = { logger: silentLogger, metrics: new Metrics(), index: held, health };
  const server = await serveVenusRpc(components, { host: '127.0.0.1', port: 0, tokens: [] });
  closers.push(() => server.close());
  const other = new IndexerClient({ clock: systemClock }, { address: `http://127.0.0.1:${server.port}/rpc/v0` });
  const own = indexOf('own');
  const index = new ProxiedIndex({ clock: systemClock, logger: silentLogger }, { other, own });
  const located = await Promise.all([0, 1, 2, 3].map((part) => index.locate(MINER, sectors(2_349, part * 2_349))));
  for (const one of located) {
    expect(one.size).toBe(2_349);
    expect([...one.values()].every(([copy]) => copy?.store === 'z')).toBe(true);
  }
  expect(own.asked).toEqual([]);
  expect(held.asked.length).toBeLessThan(1_000);
});

test('kind of index, miner and number are asked for, and sectors that it does not know are looked up here', async () => {
  const asked: unknown[] = [];
  const { index } = await proxied({
    clock: systemClock,
    own: indexOf('own'),
    onFind: ({ kind, miner, number, found }) => {
      asked.push([kind, miner, number]);
      found(number === 7 ? '' : 'old');
    },
  });
  const wanted = [
    { number: 5, upgraded: false },
    { number: 6, upgraded: true },
    { number: 7, upgraded: false },
  ];
  expect(storesOf(await index.locate(MINER, wanted))).toEqual(['5 old', '6 old', '7 own']);
  expect(asked).toEqual([
    ['normal', MINER, 5],
    ['upgrade', MINER, 6],
    ['normal', MINER, 7],
  ]);
});

test('an error that it answers is said, and the own index answers until it has none', async () => {
  let isBroken = true;
  const { index, other } = await proxied({
    clock: systemClock,
    own: indexOf('own'),
    onFind: ({ found, failed }) => (isBroken ? failed('sealer unavailable') : found('old')),
  });
  await expect(other.locate(MINER, sectors(3), { onAnswer: () => {} })).rejects.toMatchObject({
    code: 'index-unavailable',
    message: expect.stringMatching(/^the sector index at ws:.*\/rpc\/v0 cannot be asked: sealer unavailable$/),
  });
  expect(storesOf(await index.locate(MINER, sectors(1)))).toEqual(['0 own']);
  isBroken = false;
  expect(storesOf(await index.locate(MINER, sectors(1)))).toEqual(['0 old']);
});

test.each([
  ['localhost:1', 'ECONNREFUSED'],
  ['http://not an address', 'nvalid URL'],
])('%s: there is no manager', async (address, text) => {
  const client = new IndexerClient({ clock: systemClock }, { address });
  for (const _ of [1, 2]) {
    await expect(client.locate(MINER, sectors(1), { onAnswer: () => {} })).rejects.toMatchObject({
      code: 'index-unavailable',
      message: expect.stringContaining(text),
    });
  }
});

test('it may take long in all, but not be silent: then what it said is used, and the own index for the rest', async () => {
  const clock = new ManualClock();
  const finds: Parameters<OnFind>[0][] = [];
  const own = indexOf('own');
  const { index } = await proxied({ clock, own, onFind: (find) => finds.push(find) });
  // As a check asks, which waits 2 s for an index in the database.
  const located = new IndexedPlaces({ clock, logger: silentLogger, index }).locate(MINER, sectors(200), []);
  for (let answered = 0; answered < 5; answered++) {
    await vi.waitUntil(() => finds.length === WINDOW + answered);
    clock.advance(1_000);
    finds[answered]?.found('old');
  }
  await vi.waitUntil(() => finds.length === WINDOW + 5);
  clock.advance(SILENCE_MS);
  const stores = (await located)?.known.map(({ copies }) => copies[0]?.store);
  expect(stores?.slice(0, 6)).toEqual(['old', 'old', 'old', 'old', 'old', 'own']);
  expect(stores).toHaveLength(200);
  expect(own.asked).toEqual([195]);
  expect(finds).toHaveLength(WINDOW + 5);
});

test('a check does not wait for ever for one that is slow; the next one asks for what is left', async () => {
  const clock = new ManualClock();
  const finds: Parameters<OnFind>[0][] = [];
  const { index } = await proxied({ clock, own: indexOf('own'), onFind: (find) => finds.push(find) });
  const located = index.locate(MINER, sectors(200));
  for (let answered = 0; answered < 10; answered++) {
    await vi.waitUntil(() => finds.length === WINDOW + answered);
    clock.advance(1_000);
    finds[answered]?.found('old');
  }
  expect(storesOf(await located).filter((one) => one.endsWith('old'))).toHaveLength(9);
  const before = finds.length;
  void index.locate(MINER, sectors(20));
  await vi.waitUntil(() => finds.length === before + 11);
  expect(finds.at(before)?.number).toBe(9);
});

test('what it said is remembered: for ten minutes without asking, later for when it is away', async () => {
  const clock = new ManualClock();
  const asked: number[] = [];
  let store = 'old';
  const own = indexOf('own');
  const { index, daemon } = await proxied({
    clock,
    own,
    onFind: ({ number, found }) => {
      asked.push(number);
      found(store);
    },
  });
  const locate = async () => storesOf(await index.locate(MINER, sectors(2)));
  expect(await locate()).toEqual(['0 old', '1 old']);
  store = 'moved';
  expect(await locate()).toEqual(['0 old', '1 old']);
  expect(asked).toEqual([0, 1]);
  clock.advance(10 * 60_000);
  expect(await locate()).toEqual(['0 moved', '1 moved']);
  daemon.close();
  clock.advance(10 * 60_000);
  expect(await locate()).toEqual(['0 moved', '1 moved']);
  expect(own.asked).toEqual([]);
});

test('what it does not know any more is forgotten', async () => {
  const clock = new ManualClock();
  let store = 'old';
  const { index, daemon } = await proxied({ clock, own: indexOf('own'), onFind: ({ found }) => found(store) });
  const locate = async () => storesOf(await index.locate(MINER, sectors(1)));
  expect(await locate()).toEqual(['0 old']);
  store = '';
  clock.advance(10 * 60_000);
  expect(await locate()).toEqual(['0 own']);
  daemon.close();
  expect(await locate()).toEqual(['0 own']);
});

test('an own index that does not answer for the rest is no index', async () => {
  const own = indexOf('own');
  own.locate = async () => {
    throw new Error('the database is away');
  };
  const { index } = await proxied({
    clock: systemClock,
    own,
    onFind: ({ number, found }) => found(number === 0 ? 'old' : ''),
  });
  await expect(index.locate(MINER, sectors(2))).rejects.toThrow('the database is away');
  expect(storesOf(await index.locate(MINER, sectors(1)))).toEqual(['0 old']);
});
