import { describe, expect, it } from 'vitest';
import { type LotusMethod, parseResult, resultSchemas } from '../../src/chain/lotus-results.ts';
import { headChangesJson } from '../../src/chain/tipset-json.ts';
import { formatAddress } from '../../src/filecoin/address.ts';
import { messageCid, signedMessageCid } from '../../src/filecoin/message.ts';
import { allRecorded, recorded } from './recorded.ts';

function result<M extends LotusMethod>(method: M, name: string) {
  return parseResult(method, recorded(name).response?.result);
}

describe('answers recorded from a Lotus node', () => {
  const answered = allRecorded().flatMap(({ case: name, request, response }) => {
    const method = request?.method?.replace('Filecoin.', '');
    return method === undefined || response?.result === undefined ? [] : [{ name, method, result: response.result }];
  });

  it.each(answered)('$name', ({ method, result }) => {
    expect(Object.keys(resultSchemas)).toContain(method);
    parseResult(method as LotusMethod, result);
  });

  it.each(['chain-notify-frames', 'chain-notify-reorg-frames', 'chain-notify-two-blocks-frames'])('%s', (name) => {
    const values = recorded(name).frames?.filter(({ data }) => data.method === 'xrpc.ch.val') ?? [];
    expect(values).not.toHaveLength(0);
    for (const { data } of values) headChangesJson.parse(data.params?.[1]);
  });
});

describe('what is read of them', () => {
  it('tipset', () => {
    expect(result('ChainHead', 'chain-head')).toEqual({
      key: ['bafy2bzacebdtyvdgaz3lx4fftkrgw6r7oat252ifytsz7mugjif7nfa5fihna'],
      height: 12,
      minTimestamp: 1775232314,
      baseFee: 20141720n,
    });
  });

  it('miner info without control addresses', () => {
    const info = result('StateMinerInfo', 'state-miner-info');
    expect(formatAddress(info.worker)).toBe('t0101');
    expect(info).toMatchObject({ controlAddresses: [], windowPoStProofType: 10, sectorSize: 2048 });
  });

  it('partitions: null for none, bit fields as sets', () => {
    expect(result('StateMinerPartitions', 'state-miner-partitions-none')).toEqual([]);
    const [partition] = result('StateMinerPartitions', 'state-miner-partitions-faulty-after-skip');
    expect([...(partition?.live ?? [])]).toEqual([6, 7]);
    expect([...(partition?.faulty ?? [])]).toEqual([6]);
    expect([...(partition?.active ?? [])]).toEqual([7]);
  });

  it('deadline before the first proving period', () => {
    const deadline = result('StateMinerProvingDeadline', 'state-miner-proving-deadline-before-first-open');
    expect(deadline).toMatchObject({ periodStart: -2726, index: 45, open: -26, close: 34, challenge: -46 });
    expect(deadline.policy).toMatchObject({ provingPeriod: 2880, challengeWindow: 60 });
  });

  it('message lookup', () => {
    expect(result('StateSearchMsg', 'state-search-msg-not-yet')).toBeNull();
    const lookup = result('StateSearchMsg', 'state-search-msg-found');
    expect(lookup).toMatchObject({ exitCode: 0, gasUsed: 20142497, height: 158 });
    expect(lookup?.return).toHaveLength(0);
  });

  it('a signed message whose CIDs are those that the node names', () => {
    const name = 'mpool-push-message-submit-windowed-post';
    const signed = result('MpoolPushMessage', name);
    const json = recorded(name).response?.result as { CID: { '/': string }; Message: { CID: { '/': string } } };
    expect(messageCid(signed.message).toString()).toBe(json.Message.CID['/']);
    expect(signedMessageCid(signed).toString()).toBe(json.CID['/']);
  });
});

it('names the field of an answer of another form', () => {
  const tipSet = { Cids: [{ '/': 'no-cid' }], Blocks: [{ Timestamp: 1 }], Height: 1 };
  expect(() => parseResult('ChainHead', tipSet)).toThrow(
    expect.objectContaining({ code: 'chain-answer', message: expect.stringContaining('ChainHead') }),
  );
  expect(() => parseResult('ChainHead', tipSet)).toThrow(/at Cids\.0: bad CID "no-cid"/);
});
