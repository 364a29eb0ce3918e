import { expect, test } from 'vitest';
import { parseAddress } from '../../src/filecoin/address.ts';
import { RandomnessTag } from '../../src/filecoin/randomness.ts';
import type { HeadChange } from '../../src/programs/devnet/chain/chain.ts';
import { searchMessage } from '../../src/programs/devnet/chain/search.ts';
import { defaultQuiet, isQuiet } from '../../src/programs/devnet/quiet.ts';
import { ChainUnderTest, OPEN } from './chain-under-test.ts';

const draw = (test: ChainUnderTest, epoch: number) =>
  test.chain.randomness(test.chain.head).beacon(RandomnessTag.WindowedPoStChallengeSeed, epoch, new Uint8Array());

const ticket = (test: ChainUnderTest, epoch: number) =>
  test.chain.randomness(test.chain.head).ticket(RandomnessTag.PoStChainCommit, epoch, new Uint8Array());

function changesOf(test: ChainUnderTest): string[] {
  const seen: string[] = [];
  test.chain.onChange((changes: readonly HeadChange[]) => {
    seen.push(changes.map(({ type, tipSet }) => `${type} ${tipSet.height}`).join(', '));
  });
  return seen;
}

test('the same seed gives the same chain', async () => {
  const [one, two] = [await ChainUnderTest.start(20), await ChainUnderTest.start(20)];
  expect(one.chain.head.key).toEqual(two.chain.head.key);
  expect(one.worker).toBe(two.worker);
  const other = await ChainUnderTest.start(20, { seed: 'other' });
  expect(other.chain.head.key).not.toEqual(one.chain.head.key);
});

test('a reorg reverts from the top, applies one tipset more, and gives messages back to the pool', async () => {
  const test = await ChainUnderTest.start(OPEN);
  const cid = test.submit(0);
  await test.mineTo(OPEN + 3);
  const seen = changesOf(test);
  const before = { beacon: draw(test, OPEN), ticket: ticket(test, OPEN + 2) };

  await test.chain.reorg(3, false);

  expect(seen).toEqual([
    `revert ${OPEN + 3}, revert ${OPEN + 2}, revert ${OPEN + 1}, apply ${OPEN + 1}, apply ${OPEN + 2}, apply ${OPEN + 3}, apply ${OPEN + 4}`,
  ]);
  expect(test.chain.pool.pending().map((pending) => pending.cid)).toEqual([cid]);
  expect(searchMessage(test.chain, test.chain.head, cid, -1, true)).toBeUndefined();
  expect(draw(test, OPEN)).toEqual(before.beacon);
  expect(ticket(test, OPEN + 2)).not.toEqual(before.ticket);
  await test.mineTo(OPEN + 6);
  expect(searchMessage(test.chain, test.chain.head, cid, -1, true)?.included.height).toBe(OPEN + 5);
});

test('a reorg with another beacon changes the randomness of its epochs only', async () => {
  const test = await ChainUnderTest.start(30);
  await test.mineTo(40);
  const before = { kept: draw(test, 35), changed: draw(test, 39) };
  await test.chain.reorg(3, true);
  expect(draw(test, 35)).toEqual(before.kept);
  expect(draw(test, 39)).not.toEqual(before.changed);
});

test('an epoch without a tipset still ends deadlines', async () => {
  const test = await ChainUnderTest.start(100);
  await test.mineTo(OPEN + 57);
  await test.chain.mine(5);
  expect(test.chain.head.height).toBe(OPEN + 63);
  expect([...test.partition(0).faulty]).toEqual([0, 1]);
});

test('an epoch without a tipset has the ticket before it and a beacon entry of its own', async () => {
  const test = await ChainUnderTest.start(20);
  await test.chain.mine(2);
  await test.mineTo(25);
  const { store, head } = test.chain;
  expect(store.atOrBelow(22, head).height).toBe(20);
  expect(store.atOrAbove(22, head).height).toBe(23);
  const before = { ticket: ticket(test, 22), beacon: draw(test, 22) };
  // Another branch above the empty epochs: their beacon entries stand in its first tipset, the ticket stands below.
  await test.chain.reorg(3, false);
  expect(ticket(test, 22)).not.toEqual(before.ticket);
  expect(draw(test, 22)).toEqual(before.beacon);
  await test.chain.rewind(4);
  await test.chain.mine(2);
  expect(ticket(test, 22)).toEqual(before.ticket);
  expect(() => ticket(test, 24)).toThrow('cannot draw randomness from the future');
});

test('a gap in the nonces holds a message back, a better premium replaces one', async () => {
  const test = await ChainUnderTest.start(20);
  const from = parseAddress(test.worker);
  const later = test.push({ from, nonce: 1 });
  await test.chain.mine();
  expect(test.chain.head.messages).toEqual([]);
  const first = test.push({ from, nonce: 0 });
  expect(() => test.push({ from, nonce: 0, gasPremium: 100_001n })).toThrow(
    'increase GasPremium to 110001 from 100001',
  );
  expect(() => test.push({ from, nonce: 0 })).toThrow('already in mpool');
  const better = test.push({ from, nonce: 0, gasPremium: 110_001n, gasFeeCap: 120_000n });
  await test.chain.mine();
  expect(test.chain.head.messages.map(({ cid }) => cid)).toEqual([better, later]);
  expect(() => test.push({ from, nonce: 1 })).toThrow('minimum expected nonce is 2, got 1: message nonce too low');
  await test.chain.mine();
  expect(searchMessage(test.chain, test.chain.head, first, -1, true)?.message.cid).toBe(better);
  expect(searchMessage(test.chain, test.chain.head, first, -1, false)).toBeUndefined();
});

test('a message with too little gas fails with exit 7 and pays', async () => {
  const test = await ChainUnderTest.start(20);
  const balance = () => [...test.chain.head.applied.accounts.values()].map((account) => account.balance);
  const before = balance();
  expect(await test.land(test.push({ gasLimit: 1000 }))).toMatchObject({ exitCode: 7 });
  expect(balance()).not.toEqual(before);
});

test('quiet is when no deadline is near, nothing waits for confidence and nothing can be recovered', async () => {
  const test = await ChainUnderTest.start(10);
  const quiet = (lastMessage = 0) => isQuiet(test.chain.head, lastMessage, defaultQuiet);
  expect(quiet(-100)).toBe(true);
  expect(quiet(5)).toBe(false);
  await test.mineTo(OPEN - 27);
  expect(quiet()).toBe(true);
  await test.mineTo(OPEN - 26);
  expect(quiet()).toBe(false);
  await test.mineTo(OPEN);
  await test.land(test.submit(0, { skipped: [1] }));
  expect(quiet()).toBe(true);
  await test.mineTo(OPEN + 30);
  expect(quiet()).toBe(true);
  // Deadlines 1 to 4 are missed; the faulty sectors of deadline 0 could be declared recovered from here on.
  await test.mineTo(OPEN + 2880 - 92);
  expect(quiet()).toBe(true);
  await test.mineTo(OPEN + 2880 - 90);
  expect(quiet()).toBe(false);
});
