import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectedChain, connectChain } from '../../src/chain/connect-chain.ts';
import type { HeadChange } from '../../src/chain/tipset.ts';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { parseAddress } from '../../src/filecoin/address.ts';
import { type LotusMessage, messageFromJson } from '../../src/filecoin/message-json.ts';
import { type HalfOpenProxy, startHalfOpenProxy } from '../support/half-open-proxy.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { type LotusStandIn, NodeError, startLotusStandIn } from './lotus-stand-in.ts';
import { recorded } from './recorded.ts';

const components = { clock: systemClock, logger: silentLogger };
const open: { close(): unknown }[] = [];
let first: LotusStandIn;
let second: LotusStandIn;
let link: HalfOpenProxy;

beforeEach(async () => {
  first = track(await startLotusStandIn());
  second = track(await startLotusStandIn());
  link = track(await startHalfOpenProxy(first.port));
  first.handlers.set('StateNetworkName', () => 'first');
  second.handlers.set('StateNetworkName', () => 'second');
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function track<T extends { close(): unknown }>(one: T): T {
  open.push(one);
  return one;
}

/** `first` is reached over a link that can be broken. */
function connect(): ConnectedChain {
  return track(connectChain(components, [{ url: `ws://${link.address}` }, { url: second.url }]));
}

/** A tipset of its own at this height, as of now. */
function tipSet(height: number) {
  const letter = 'abcdefghijklmnopqrstuvwxyz'[height % 26];
  const cid = { '/': `bafy2bzacea7etpg677nb6crjhosfcxnumqq3wsrdapx3l33syd4fcasr7${letter}ask` };
  return { Cids: [cid], Blocks: [{ Timestamp: Math.floor(systemClock.now() / 1000) }], Height: height };
}

const current = (height: number) => [{ Type: 'current', Val: tipSet(height) }];
const apply = (height: number) => [{ Type: 'apply', Val: tipSet(height) }];

/** The next head changes as [type, height]. */
function reader(chain: ConnectedChain) {
  const ending = new AbortController();
  const heads = chain.heads(ending.signal)[Symbol.asyncIterator]();
  track({
    close: async () => {
      ending.abort();
      await heads.return?.(undefined);
    },
  });
  return async () => {
    const { value } = await heads.next();
    return (value as HeadChange[]).map(({ type, tipSet: { height } }) => [type, height]);
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const standings = (chain: ConnectedChain) => chain.health().map(({ standing }) => standing);

async function bothConnected(chain: ConnectedChain): Promise<void> {
  await until(() => standings(chain).every((standing) => standing !== 'away'));
}

/** Timers run when told to. */
function manualClock() {
  const timers = new Set<{ readonly ms: number; readonly run: () => void }>();
  const clock: Clock = {
    ...systemClock,
    after(ms, run) {
      const timer = { ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const fire = (ms: number) => {
    for (const timer of [...timers].filter((one) => one.ms === ms)) {
      timers.delete(timer);
      timer.run();
    }
  };
  return { clock, fire };
}

describe('calls', () => {
  it('go to the first node, and to the next as long as the first is cut off', async () => {
    const chain = connect();
    await bothConnected(chain);
    expect(await chain.networkName()).toBe('first');
    link.cut();
    expect(await chain.networkName()).toBe('second');
    link.resume();
    await bothConnected(chain);
    // Which serves as well as the other one: no reason to change.
    expect(await chain.networkName()).toBe('second');
  });

  it('lost under way are put to the next node', async () => {
    first.handlers.delete('StateNetworkName');
    const chain = connect();
    await bothConnected(chain);
    const call = chain.networkName();
    await until(() => first.calls.length === 1);
    link.cut();
    expect(await call).toBe('second');
  });

  it('that a node refuses are put to another one before the refusal counts', async () => {
    const chain = connect();
    await bothConnected(chain);
    first.handlers.set('StateNetworkName', () => {
      throw new NodeError(1, 'block not found');
    });
    expect(await chain.networkName()).toBe('second');
    second.handlers.set('StateNetworkName', () => {
      throw new NodeError(1, 'nor here');
    });
    await expect(chain.networkName()).rejects.toMatchObject({
      code: 'chain-error',
      data: { nodeMessage: 'block not found' },
    });
  });

  it('that a node leaves unanswered are put to the next one, and later ones to that one first', async () => {
    const { clock, fire } = manualClock();
    first.handlers.delete('StateNetworkName');
    const nodes = [{ url: first.url }, { url: second.url }];
    const chain = track(connectChain({ ...components, clock }, nodes));
    await bothConnected(chain);
    const call = chain.networkName();
    await until(() => first.calls.length === 1);
    fire(30_000);
    expect(await call).toBe('second');
    expect(await chain.networkName()).toBe('second');
    expect(first.calls).toHaveLength(1);
    expect(standings(chain)).toEqual(['failing', 'fit']);
  });

  it('that may not have their effect twice are made once, at the first node', async () => {
    const chain = connect();
    await bothConnected(chain);
    const asked = recorded('mpool-push-message-transfer').request?.params as [LotusMessage];
    const push = chain.pushUnsigned(messageFromJson(asked[0]), { uuid: 'one', maxFee: 1n });
    await until(() => first.calls.length === 1);
    link.cut();
    await expect(push).rejects.toMatchObject({ code: 'chain-unavailable' });
    expect(second.calls).toEqual([]);
  });

  it('of the wallet go to the first node that holds the key', async () => {
    const chain = connect();
    await bothConnected(chain);
    const key = parseAddress('t01001');
    first.handlers.set('WalletHas', () => false);
    second.handlers.set('WalletHas', () => true);
    expect(await chain.walletHas(key)).toBe(true);
    second.handlers.set('WalletHas', () => false);
    expect(await chain.walletHas(key)).toBe(false);
    second.handlers.set('WalletHas', () => {
      throw new NodeError(1, 'locked');
    });
    // Not known is not no.
    await expect(chain.walletHas(key)).rejects.toMatchObject({ code: 'chain-error' });
  });
});

describe('heads', () => {
  it('come from one node, and from the next when that one lags or is cut off', async () => {
    first.handlers.set('ChainNotify', () => current(100));
    second.handlers.set('ChainNotify', () => current(100));
    const chain = connect();
    await bothConnected(chain);
    const next = reader(chain);
    expect(await next()).toEqual([['current', 100]]);
    await until(() => chain.health().every(({ head }) => head !== undefined));

    for (const height of [101, 102, 103]) second.sendHeads(apply(height));
    // Of 101 and 102 nothing is told: the first node was in use until it was three behind.
    expect(await next()).toEqual([['current', 103]]);
    expect(chain.health()).toMatchObject([
      { standing: 'behind', behindBy: 3, isInUse: false },
      { standing: 'fit', behindBy: 0, isInUse: true },
    ]);
    expect(await chain.networkName()).toBe('second');

    // Heard again, and not needed.
    first.sendHeads(apply(104));
    second.sendHeads(apply(104));
    expect(await next()).toEqual([['apply', 104]]);
    second.drop();
    expect(await next()).toEqual([['current', 104]]);
    first.sendHeads(apply(105));
    expect(await next()).toEqual([['apply', 105]]);
  });

  it('of a node that is behind the one that was lost tell nothing', async () => {
    first.handlers.set('ChainNotify', () => current(100));
    second.handlers.set('ChainNotify', () => current(90));
    const chain = connect();
    await bothConnected(chain);
    const next = reader(chain);
    expect(await next()).toEqual([['current', 100]]);
    await until(() => chain.health().every(({ head }) => head !== undefined));
    link.cut();
    await until(() => standings(chain)[0] === 'away');
    second.sendHeads(apply(91));
    await until(() => chain.health()[1]?.head?.height === 91);
    second.sendHeads(apply(99));
    expect(await next()).toEqual([['apply', 99]]);
  });

  it('are subscribed to again when a node with new ones does not tell of them', async () => {
    let height = 100;
    first.handlers.set('ChainNotify', () => current(height));
    first.handlers.set('ChainHead', () => tipSet(height));
    const chain = track(connectChain(components, { url: first.url }, { silenceMs: 20 }));
    const next = reader(chain);
    expect(await next()).toEqual([['current', 100]]);
    const asked = () => first.calls.filter(({ method }) => method === 'ChainHead').length;
    await until(() => asked() >= 2);
    height = 101;
    // On a slow machine the silence may have been broken by a subscription before.
    let told = await next();
    while (told[0]?.[1] === 100) told = await next();
    expect(told).toEqual([['current', 101]]);
  });
});

describe('of a network that goes with the time of day', () => {
  const MAINNET = 'bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2';
  /** The epoch that it is. */
  const NOW = 5_000;

  beforeEach(() => {
    const genesis = recorded('chain-get-genesis').response?.result as { Blocks: object[] };
    const Timestamp = Math.floor(systemClock.now() / 1000) - NOW * 30;
    const Blocks = genesis.Blocks.map((block) => ({ ...block, Timestamp }));
    for (const { handlers } of [first, second])
      handlers.set('ChainGetGenesis', () => ({ ...genesis, Cids: [{ '/': MAINNET }], Blocks }));
  });

  it('one node with a head from the future decides nothing, and takes no other node its word', async () => {
    first.handlers.set('ChainNotify', () => current(NOW + 1_000));
    second.handlers.set('ChainNotify', () => current(NOW));
    const chain = connect();
    await bothConnected(chain);
    const next = reader(chain);
    expect(await next()).toEqual([['current', NOW]]);
    expect(standings(chain)).toEqual(['ahead', 'fit']);
    first.sendHeads(apply(NOW + 1_001));
    second.sendHeads(apply(NOW + 1));
    expect(await next()).toEqual([['apply', NOW + 1]]);
    first.drop();
    second.sendHeads(apply(NOW + 2));
    expect(await next()).toEqual([['apply', NOW + 2]]);
    expect(standings(chain)[1]).toBe('fit');
  });

  it('the only node is believed again when its heads are, or always were, as far ahead: the clock is slow', async () => {
    first.handlers.set('ChainNotify', () => current(NOW + 1_000));
    const chain = track(connectChain(components, { url: first.url }));
    const next = reader(chain);
    const told = next();
    await until(() => standings(chain)[0] === 'ahead');
    first.sendHeads(apply(NOW));
    expect(await told).toEqual([['apply', NOW]]);
    for (const height of [20, 21, 22, 22, 21]) first.sendHeads(apply(NOW + height));
    expect(await next()).toEqual([['apply', NOW + 21]]);
    expect(standings(chain)).toEqual(['ahead']);
  });

  it('the only node decides nothing while it is a window late, however steadily, and is no good node while it is late', async () => {
    first.handlers.set('ChainNotify', () => current(NOW - 81));
    const chain = track(connectChain(components, { url: first.url }));
    const next = reader(chain);
    const told = next();
    await until(() => chain.health()[0]?.head !== undefined);
    for (const behind of [80, 79, 78]) first.sendHeads(apply(NOW - behind));
    await until(() => chain.health()[0]?.head?.height === NOW - 78);
    expect(standings(chain)).toEqual(['behind']);
    first.sendHeads(apply(NOW - 30));
    expect(await told).toEqual([['apply', NOW - 30]]);
    expect(chain.health()).toMatchObject([{ standing: 'catching-up', age: expect.closeTo(30, 0) }]);
    first.sendHeads(apply(NOW - 4));
    expect(await next()).toEqual([['apply', NOW - 4]]);
    expect(standings(chain)).toEqual(['fit']);
  });
});

describe('a node of another network', () => {
  beforeEach(() => {
    second.handlers.set('ChainGetGenesis', () => recorded('chain-head').response?.result);
  });

  it('is never asked', async () => {
    const chain = connect();
    const genesis = await chain.genesis();
    chain.pin(genesis);
    await until(() => chain.health()[1]?.reason?.includes('another network') ?? false);
    link.cut();
    await expect(chain.networkName()).rejects.toMatchObject({ code: 'chain-unavailable' });
    expect(second.calls).toEqual([]);
  });

  it('is left when the network is pinned later', async () => {
    const chain = track(connectChain(components, { url: second.url }));
    expect(await chain.networkName()).toBe('second');
    chain.pin('the network of a database');
    await until(() => standings(chain)[0] === 'away');
    await expect(chain.networkName()).rejects.toMatchObject({
      code: 'chain-unavailable',
      data: { otherNetwork: true },
    });
  });
});
