import { test as baseTest, expect, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import type { CheckInit } from '../../src/stores/store-checker.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { WinningService, type WinningServiceInit } from '../../src/winning/winning-service.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { GatewayStandIn, proofsOf } from './gateway-stand-in.ts';
import { computeProof, MINER } from './requests.ts';

const ADDRESS = `t0${MINER}`;
const COMM_R = Uint8Array.from({ length: 32 }, (_, index) => index);
const PROOF = Buffer.alloc(192, 7);
const request = (change: object = {}) => computeProof({ number: 5, commR: COMM_R }, change);

interface Proving {
  readonly task: { readonly replicas: readonly object[]; readonly seed: readonly number[] };
  readonly signal: AbortSignal;
  readonly leftMs: number;
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

/** A service whose prover does what the test says, and everything that it tells. */
class World {
  readonly alerts = new RecordedAlerts();
  readonly metrics = new Metrics();
  readonly proving = new EventQueue<Proving>();
  readonly checked: CheckInit[] = [];
  isValid = true;
  isThere = true;
  /** Stores with a copy of every sector, one after the other. */
  stores = ['a'];
  isReady = true;

  serve(
    gateways: readonly { url: string; token?: string }[],
    init: Partial<WinningServiceInit> = {},
    clock = systemClock,
  ) {
    const service = new WinningService(
      {
        clock,
        logger: silentLogger,
        alerts: this.alerts,
        metrics: this.metrics,
        checker: {
          check: async (wanted) => {
            this.checked.push(wanted);
            return wanted.sectors.map(({ number, corrupt = [] }) => {
              const store = this.stores.find((name) =>
                corrupt.every(({ cacheDir }) => !cacheDir.startsWith(`/${name}/`)),
              );
              if (!this.isThere) return { number, verdict: 'unknown', reason: 'the store hangs' };
              const files = (name: string) => ({
                sealedFile: `/${name}/sealed/${number}`,
                cacheDir: `/${name}/cache/${number}`,
              });
              if (store !== undefined) return { number, verdict: 'good', store, ...files(store) };
              return { number, verdict: 'corrupt', reason: 'no copy left', store: 'a', ...files('a') };
            });
          },
        },
        prover: {
          isReady: this.isReady,
          prove: (task, signal, leftMs = 0) =>
            new Promise((resolve, reject) => {
              const finish = () => resolve({ proofs: [PROOF.toString('base64')] });
              this.proving.push({ task: task as Proving['task'], signal, leftMs, finish, fail: reject });
            }),
        },
        verifier: { verify: async () => ({ valid: this.isValid, reason: null }) },
      },
      { gateways, minerIds: [MINER], ...init },
    );
    service.start();
    onTestFinished(() => service.close());
    return service;
  }

  async counted(outcome: string): Promise<number> {
    const line = new RegExp(`^wdpost_winning_total\\{.*outcome="${outcome}".*\\} (\\d+)$`, 'm');
    return Number(line.exec(await this.metrics.text())?.[1] ?? 0);
  }
}

const test = baseTest.extend<{ world: World; gateway: GatewayStandIn }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures from a pattern
  world: async ({}, use) => use(new World()),
  // biome-ignore lint/correctness/noEmptyPattern: as above
  gateway: async ({}, use) => {
    const gateway = await GatewayStandIn.start({ token: 'secret', paths: ['/rpc/v1'] });
    await use(gateway);
    await gateway.close();
  },
});

test('a request is proven, verified and answered as the gateway wants it', async ({ world, gateway }) => {
  world.serve([{ url: gateway.url, token: 'secret' }]);
  const { miner, path, headers } = await gateway.listeners.next();
  expect({ miner, path }).toEqual({ miner: ADDRESS, path: '/rpc/v1' });
  expect(headers['x-venus-api-namespace']).toBe('gateway.IGateway');

  const answer = gateway.ask(ADDRESS, request());
  const { task, finish } = await world.proving.next();
  expect(task).toEqual({
    miner_id: MINER,
    proof_type: 'StackedDrgWinning2KiBV1',
    replicas: [{ sector_id: 5, comm_r: [...COMM_R], cache_dir: '/a/cache/5', sealed_file: '/a/sealed/5' }],
    // The two top bits are cleared.
    seed: [...Array(31).fill(0xff), 0x3f],
  });
  expect(world.checked[0]).toMatchObject({
    minerId: MINER,
    sectorSize: 2048,
    sectors: [{ number: 5, upgraded: false }],
  });
  finish();
  expect(proofsOf(await answer)).toEqual([{ PoStProof: 0, ProofBytes: PROOF.toString('base64') }]);
  await vi.waitUntil(async () => (await world.counted('answered')) === 1);
  expect(await world.counted('won')).toBe(1);
});

test('what goes wrong is told to the gateway, counted, and alerted of until the next proof', async ({
  world,
  gateway,
}) => {
  world.serve([{ url: gateway.url, token: 'secret' }]);
  await gateway.listeners.next();
  const alert = () => world.alerts.open.get(`winning-post/${MINER}`);

  expect((await gateway.ask(ADDRESS, request({ Rand: 'AAEC' }))).Error).toContain('bad Rand: must be 32 bytes');
  expect((await gateway.ask(ADDRESS, request({ SectorInfos: null }))).Error).toContain('no sector');
  world.isThere = false;
  expect((await gateway.ask(ADDRESS, request())).Error).toContain('sector 5 cannot be used: the store hangs');
  world.isThere = true;
  const failing = gateway.ask(ADDRESS, request());
  (await world.proving.next()).fail(new CodedError('prover-failed', 'out of memory'));
  expect((await failing).Error).toBe('out of memory');
  world.isValid = false;
  const invalid = gateway.ask(ADDRESS, request());
  (await world.proving.next()).finish();
  expect((await invalid).Error).toContain('does not verify');
  expect(await world.counted('failed')).toBe(5);
  expect(alert()).toMatchObject({ class: 'winning-post-failed', severity: 'critical', minerId: MINER });

  world.isValid = true;
  const good = gateway.ask(ADDRESS, request());
  (await world.proving.next()).finish();
  proofsOf(await good);
  await vi.waitUntil(() => alert() === undefined);
});

test('a proof that is late is not sent, and its prover is told', async ({ world, gateway }) => {
  world.serve([{ url: gateway.url, token: 'secret' }], { limitMs: 50 });
  await gateway.listeners.next();
  const answer = gateway.ask(ADDRESS, request());
  const { signal, finish } = await world.proving.next();
  expect(await answer).toMatchObject({ Payload: null, Error: 'not done within 50 ms' });
  expect(signal.aborted).toBe(true);
  finish();
  expect(await world.counted('late')).toBe(1);
  expect(world.alerts.open.get(`winning-post/${MINER}`)?.class).toBe('winning-post-late');
  expect(await world.counted('answered')).toBe(0);
});

test('several requests are worked on at once', async ({ world, gateway }) => {
  world.serve([{ url: gateway.url, token: 'secret' }]);
  await gateway.listeners.next();
  const answers = [1, 2, 3].map((byte) =>
    gateway.ask(ADDRESS, request({ Rand: Buffer.alloc(32, byte).toString('base64') })),
  );
  const provings = [await world.proving.next(), await world.proving.next(), await world.proving.next()];
  for (const { finish } of provings.toReversed()) finish();
  for (const answer of answers) proofsOf(await answer);
});

test('what several gateways ask for is proven once, and goes on when one of them is gone', async ({
  world,
  gateway,
}) => {
  const other = await GatewayStandIn.start();
  onTestFinished(() => other.close());
  world.serve([{ url: gateway.url, token: 'secret' }, { url: other.url }]);
  await gateway.listeners.next();
  await other.listeners.next();
  void gateway.ask(ADDRESS, request());
  const { signal, finish } = await world.proving.next();
  const answers = [1, 2].map(() => other.ask(ADDRESS, request()));
  await vi.waitUntil(async () => (await world.counted('won')) === 3);
  gateway.drop();
  await vi.waitUntil(async () => (await world.counted('failed')) === 1);
  expect(signal.aborted).toBe(false);
  finish();
  for (const answer of answers) proofsOf(await answer);
  expect(world.proving.size).toBe(0);
  expect(world.checked).toHaveLength(1);
  // What ended is not remembered.
  const again = other.ask(ADDRESS, request());
  (await world.proving.next()).finish();
  proofsOf(await again);
});

test('one that can no longer be in time is late at once', async ({ world, gateway }) => {
  world.serve([{ url: gateway.url, token: 'secret' }]);
  await gateway.listeners.next();
  const answer = gateway.ask(ADDRESS, request());
  const { leftMs, fail } = await world.proving.next();
  expect(leftMs).toBeGreaterThan(20_000);
  expect(leftMs).toBeLessThanOrEqual(25_000);
  fail(new CodedError('time-limit', 'others were made first'));
  expect((await answer).Error).toBe('others were made first');
  expect(await world.counted('late')).toBe(1);
});

test('it listens again after the channel and after the connection ended', async ({ world, gateway }) => {
  world.serve([{ url: gateway.url, token: 'secret' }]);
  await gateway.listeners.next();
  gateway.closeChannels();
  await gateway.listeners.next();
  const lost = gateway.ask(ADDRESS, request());
  const { signal } = await world.proving.next();
  gateway.drop();
  // Nobody waits for it any more.
  await vi.waitUntil(() => signal.aborted);
  await gateway.listeners.next();
  const answer = gateway.ask(ADDRESS, request());
  (await world.proving.next()).finish();
  proofsOf(await answer);
  await expect(Promise.race([lost, 'no answer'])).resolves.toBe('no answer');
  expect(await world.counted('failed')).toBe(1);
});

test('a gateway that is away or refuses costs the others nothing; each miner has a channel of its own', async ({
  world,
  gateway,
}) => {
  const other = await GatewayStandIn.start();
  onTestFinished(() => other.close());
  world.serve(
    [
      { url: 'ws://127.0.0.1:9' },
      { url: gateway.url, token: 'wrong' },
      { url: gateway.url, token: 'secret' },
      { url: other.url },
    ],
    { minerIds: [MINER, 1001] },
  );
  const miners = async (of: GatewayStandIn) =>
    [(await of.listeners.next()).miner, (await of.listeners.next()).miner].sort();
  expect(await miners(gateway)).toEqual([ADDRESS, 't01001']);
  expect(await miners(other)).toEqual([ADDRESS, 't01001']);
  expect(() => other.ask('t01002', request())).toThrow('no connections');
  const answer = other.ask('t01001', request());
  const { task, finish } = await world.proving.next();
  expect(task).toMatchObject({ miner_id: 1001 });
  finish();
  proofsOf(await answer);
});

test('an event of another kind is passed over', async ({ world, gateway }) => {
  world.serve([{ url: gateway.url, token: 'secret' }]);
  await gateway.listeners.next();
  void gateway.ask(ADDRESS, {}, 'SectorsUnsealPiece');
  const answer = gateway.ask(ADDRESS, request());
  (await world.proving.next()).finish();
  proofsOf(await answer);
});

test('a gateway that stays away is alerted of, until it listens', async ({ world, gateway }) => {
  const clock = new ManualClock();
  gateway.isUp = false;
  world.serve([{ url: gateway.url, token: 'secret' }], {}, clock);
  const alert = () => world.alerts.open.get(`gateway-away/${MINER}/${gateway.url}`);
  clock.advance(59_000);
  expect(alert()).toBeUndefined();
  clock.advance(1_000);
  expect(alert()).toMatchObject({ class: 'gateway-away', severity: 'critical', minerId: MINER });
  gateway.isUp = true;
  await gateway.listeners.next();
  await vi.waitUntil(() => alert() === undefined);
});

test('of a copy that gives no proof the next one is proven; where none is left the block is lost with the first reason', async ({
  world,
  gateway,
}) => {
  world.stores = ['a', 'b'];
  world.serve([{ url: gateway.url, token: 'secret' }]);
  await gateway.listeners.next();
  const failed = (reason: string) => new CodedError('prover-failed', reason);

  const answer = gateway.ask(ADDRESS, request());
  (await world.proving.next()).fail(failed('sector 5 is bad: a'));
  const second = await world.proving.next();
  expect(second.task.replicas).toMatchObject([{ cache_dir: '/b/cache/5', sealed_file: '/b/sealed/5' }]);
  expect(second.leftMs).toBeLessThanOrEqual(25_000);
  second.finish();
  expect(proofsOf(await answer)).toHaveLength(1);

  const lost = gateway.ask(ADDRESS, request());
  (await world.proving.next()).fail(failed('sector 5 is bad: a'));
  (await world.proving.next()).fail(failed('sector 5 is bad: b'));
  expect((await lost).Error).toContain('sector 5 is bad: a');
  expect(world.proving.size).toBe(0);

  const stuck = gateway.ask(ADDRESS, request());
  (await world.proving.next()).fail(new CodedError('prover-exited', 'the prover ended'));
  expect((await stuck).Error).toContain('the prover ended');
});
