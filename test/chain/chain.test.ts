import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import { connectChain } from '../../src/chain/connect-chain.ts';
import type { HeadChange } from '../../src/chain/tipset.ts';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { parseAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { parseCid } from '../../src/filecoin/cid.ts';
import { type LotusMessage, messageFromJson } from '../../src/filecoin/message-json.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { type LotusStandIn, NodeError, startLotusStandIn } from './lotus-stand-in.ts';
import { recorded } from './recorded.ts';

const components = { clock: systemClock, logger: silentLogger };
const miner = parseAddress('t01001');
const open: { close(): unknown }[] = [];
let node: LotusStandIn;

beforeEach(async () => {
  node = track(await startLotusStandIn());
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

function track<T extends { close(): unknown }>(one: T): T {
  open.push(one);
  return one;
}

function answer(method: string, name: string): void {
  const { response } = recorded(name);
  node.handlers.set(method, () => {
    if (response?.error) throw new NodeError(response.error.code, response.error.message);
    return response?.result;
  });
}

/** The message of a recorded request. */
function askedMessage(name: string): LotusMessage {
  const params = recorded(name).request?.params;
  return (Array.isArray(params) ? params[0] : undefined) as LotusMessage;
}

function connect(clock: Clock = systemClock): Chain {
  return track(connectChain({ ...components, clock }, { url: node.url }));
}

describe('calls', () => {
  it('gives every parameter in the node’s order and form', async () => {
    answer('StateMinerSectors', 'state-miner-sectors-by-bitfield');
    answer('StateGetRandomnessFromTickets', 'state-get-randomness-from-tickets-chain-commit');
    answer('GasEstimateMessageGas', 'gas-estimate-message-gas-submit-windowed-post');
    answer('StateSearchMsg', 'state-search-msg-found');
    const chain = connect();
    const key = ['bafy2bzacea7etpg677nb6crjhosfcxnumqq3wsrdapx3l33syd4fcasr7sask'];

    const sectors = await chain.sectors(miner, Bitfield.of([1, 2]), []);
    expect(sectors.map(({ number }) => number)).toEqual([1, 2]);
    expect(await chain.ticketRandomness(9, 134, null, key)).toHaveLength(32);
    const asked = askedMessage('gas-estimate-message-gas-submit-windowed-post');
    const { gasLimit } = await chain.estimateGas(messageFromJson(asked), { maxFee: 5n * 10n ** 18n }, []);
    expect(gasLimit).toBe(25093527);
    const cid = parseCid('bafy2bzaceb55jfbbtdyp7u7rsunl2wigwc6e4pkwheiufqctgqsd7jh336p22');
    expect((await chain.searchMessage(cid, { lookback: 100, allowReplaced: true }))?.cid).toEqual(cid);

    expect(node.calls.map(({ params }) => params)).toEqual([
      ['t01001', [1, 2], []],
      [9, 134, null, [{ '/': key[0] }]],
      [expect.objectContaining({ ...asked, CID: expect.anything() }), { MaxFee: '5000000000000000000' }, []],
      [[], { '/': cid.toString() }, 100, true],
    ]);
  });

  it('gives the node’s refusal with its code and text', async () => {
    answer('GasEstimateMessageGas', 'gas-estimate-partition-already-proven');
    const asked = askedMessage('gas-estimate-partition-already-proven');
    await expect(connect().estimateGas(messageFromJson(asked), { maxFee: 1n }, [])).rejects.toMatchObject({
      code: 'chain-error',
      data: { rpcCode: 3, nodeMessage: expect.stringContaining('partition already proven') },
    });
  });

  it('gives answers to the calls that asked, whatever their order', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    node.handlers.set('StateNetworkName', () => held.then(() => 'slow'));
    node.handlers.set('StateNetworkVersion', () => 28);
    const chain = connect();
    const name = chain.networkName();
    expect(await chain.networkVersion([])).toBe(28);
    release();
    expect(await name).toBe('slow');
  });
});

describe('a node that is away', () => {
  it('says what to check', async () => {
    await node.close();
    await expect(connect().head()).rejects.toMatchObject({
      code: 'chain-unavailable',
      message: expect.stringMatching(/cannot be reached: connection refused; check the address/),
    });
  });

  it('says that the token is refused', async () => {
    const closed = track(await startLotusStandIn({ token: 'right' }));
    closed.handlers.set('StateNetworkName', () => 'net');
    await expect(connectChain(components, { url: closed.url, token: 'wrong' }).head()).rejects.toMatchObject({
      code: 'chain-unavailable',
      message: expect.stringMatching(/refuses the token/),
    });
    expect(await track(connectChain(components, { url: closed.url, token: 'right' })).networkName()).toBe('net');
  });

  it('is asked once more when the connection was lost with a call under way', async () => {
    const chain = connect();
    const call = chain.networkName();
    await until(() => node.calls.length === 1);
    node.handlers.set('StateNetworkName', () => 'back');
    node.drop();
    expect(await call).toBe('back');
  });

  it('ends a call whose connection is lost again', async () => {
    const chain = connect();
    const call = chain.networkName();
    for (const calls of [1, 2]) {
      await until(() => node.calls.length === calls);
      node.drop();
    }
    await expect(call).rejects.toMatchObject({ code: 'chain-unavailable' });
  });

  it('rejects calls after close', async () => {
    const chain = connect();
    chain.close();
    await expect(chain.head()).rejects.toMatchObject({ code: 'chain-unavailable' });
  });
});

describe('a node that hangs', () => {
  /** Timers run when told to. */
  function manualClock() {
    const timers = new Set<{ ms: number; run: () => void }>();
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

  it('does not hold a call for ever', async () => {
    const { clock, fire } = manualClock();
    const call = connect(clock).head();
    await until(() => node.calls.length === 1);
    fire(30_000);
    await expect(call).rejects.toMatchObject({
      code: 'chain-unavailable',
      message: expect.stringContaining('30000 ms'),
    });
  });

  it('is left when it answers no ping, and asked again', async () => {
    const { clock, fire } = manualClock();
    node.handlers.set('StateNetworkName', () => 'net');
    const chain = connect(clock);
    await chain.networkName();
    node.freeze();
    const call = chain.networkName();
    await new Promise((resolve) => setImmediate(resolve));
    fire(10_000);
    fire(10_000);
    expect(await call).toBe('net');
  });
});

describe('head changes', () => {
  const frames = (recorded('chain-notify-reorg-frames').frames ?? []).flatMap(({ data }) =>
    data.method === 'xrpc.ch.val' ? [data.params?.[1]] : [],
  );

  it('arrive in order, start again with the connection or the channel, and end with the signal', async () => {
    node.handlers.set('ChainNotify', () => frames[0]);
    const chain = connect();
    const ending = new AbortController();
    const heads = chain.heads(ending.signal)[Symbol.asyncIterator]();
    const types = async () => (await heads.next()).value?.map(({ type }: HeadChange) => type);

    expect(await types()).toEqual(['current']);
    node.sendStray('of another channel');
    for (const frame of frames.slice(1)) node.sendHeads(frame);
    const changes: HeadChange[] = [];
    for (const _ of frames.slice(1)) changes.push(...((await heads.next()).value ?? []));
    const sent = frames.slice(1).flat() as { Type: string; Val: { Height: number } }[];
    expect(changes.map(({ type, tipSet }) => [type, tipSet.height])).toEqual(
      sent.map((one) => [one.Type, one.Val.Height]),
    );

    node.drop();
    expect(await types()).toEqual(['current']);
    node.closeChannels();
    expect(await types()).toEqual(['current']);

    const next = heads.next();
    ending.abort();
    expect(await next).toMatchObject({ done: true });
  });

  it('end at once with the signal while the node is away', async () => {
    await node.close();
    const ending = new AbortController();
    const next = connect().heads(ending.signal)[Symbol.asyncIterator]().next();
    ending.abort();
    expect(await next).toMatchObject({ done: true });
  });
});

/** Polls a condition of the stand-in, which has no event for it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
