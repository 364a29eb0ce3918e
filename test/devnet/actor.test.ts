import { expect, test } from 'vitest';
import { parseAddress } from '../../src/filecoin/address.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { MinerMethod } from '../../src/filecoin/miner-methods.ts';
import { disputeWindowedPoStParams } from '../../src/filecoin/miner-params.ts';
import { badProof, ChainUnderTest, goodProof, MINER, numberedSectors, OPEN } from './chain-under-test.ts';

const PERIOD = 2880;

test('a proof is recorded unverified, and marks its partition as posted', async () => {
  const test = await ChainUnderTest.start(OPEN);
  expect((await test.land(test.submit(0, { proof: badProof }))).exitCode).toBe(0);
  expect([...(test.chain.head.state.miners.get(MINER)?.deadlines[0]?.posted ?? [])]).toEqual([0]);
});

test('a submission outside its deadline, or for a partition proven already, fails with exit 16', async () => {
  const test = await ChainUnderTest.start(OPEN);
  expect((await test.land(test.submit(1))).error).toContain(`invalid deadline 1 at epoch ${OPEN + 1}, expected 0`);
  await test.land(test.submit(0));
  const again = await test.land(test.submit(0));
  expect(again.exitCode).toBe(16);
  expect(again.error).toContain('partition already proven');
});

test('at most three partitions go into one message', async () => {
  const sectors = numberedSectors(8).map((sector) => ({ ...sector, deadline: 0 }));
  const test = await ChainUnderTest.start(OPEN, { miners: new Map([[MINER, sectors]]) });
  const proof = new Uint8Array(4 * 192).fill(1);
  expect((await test.land(test.submit(0, { partitions: [0, 1, 2, 3], proof }))).error).toContain(
    'too many partitions 4, limit 3',
  );
  expect((await test.land(test.submit(0, { partitions: [0, 1, 2], proof: proof.subarray(192) }))).exitCode).toBe(0);
});

test('skipped sectors become faulty; all of them cannot be skipped', async () => {
  const test = await ChainUnderTest.start(OPEN);
  expect((await test.land(test.submit(0, { skipped: [0, 1] }))).error).toContain('no active sectors');
  expect((await test.land(test.submit(0, { skipped: [5] }))).error).toContain('outside partition');
  expect((await test.land(test.submit(0, { skipped: [1] }))).exitCode).toBe(0);
  expect([...test.partition(0).faulty]).toEqual([1]);
});

test('a partition that nobody proves is faulty when its deadline closes, and not before', async () => {
  const test = await ChainUnderTest.start(100);
  await test.mineTo(OPEN + 58);
  expect(test.partition(0).faulty.isEmpty).toBe(true);
  await test.mineTo(OPEN + 59);
  expect([...test.partition(0).faulty]).toEqual([0, 1]);
  expect(await test.events.next()).toEqual({
    event: 'missed',
    miner: MINER,
    deadline: 0,
    partition: [0],
    epoch: OPEN + 59,
  });
});

test('faults and recoveries are declared until the cut-off, 70 epochs before the deadline opens', async () => {
  const test = await ChainUnderTest.start(OPEN - 76);
  expect((await test.land(test.declare('faults', 0, [0]))).exitCode).toBe(0);
  expect((await test.land(test.declare('recovered', 0, [0, 1]))).exitCode).toBe(0);
  expect([...test.partition(0).recovering]).toEqual([0]);
  const inTime = test.declare('faults', 0, [1]);
  await test.chain.mine();
  expect(test.chain.head.height).toBe(OPEN - 71);
  const late = await test.land(test.declare('recovered', 0, [1]));
  expect(test.receipt(inTime).exitCode).toBe(0);
  expect(late).toMatchObject({ exitCode: 16 });
  expect(late.error).toContain('failed recovery declaration at deadline 0: late fault or recovery declaration');
});

test('a proof with recovering sectors is verified by its message', async () => {
  const test = await ChainUnderTest.start(OPEN - 80);
  await test.land(test.declare('faults', 0, [0]));
  await test.land(test.declare('recovered', 0, [0]));
  await test.mineTo(OPEN);
  const refused = await test.land(test.submit(0, { proof: badProof }));
  expect(refused.error).toContain(
    'invalid post was submitted (16)\n--> caused by: crypto::verify_post -- not on curve',
  );
  expect((await test.land(test.submit(0, { proof: goodProof }))).exitCode).toBe(0);
  expect(test.partition(0).faulty.isEmpty).toBe(true);
  expect(await test.events.next()).toMatchObject({ event: 'verified', deadline: 0, partition: [0], sectors: 2 });
});

test('a recovery that is not proven is lost, and skipping a recovering sector retracts it', async () => {
  const test = await ChainUnderTest.start(OPEN - 80);
  await test.land(test.declare('faults', 0, [0]));
  await test.land(test.declare('recovered', 0, [0]));
  await test.mineTo(OPEN);
  await test.land(test.submit(0, { skipped: [0] }));
  expect([...test.partition(0).faulty]).toEqual([0]);
  expect(test.partition(0).recovering.isEmpty).toBe(true);
});

test('after the deadline closed a bad proof is disputed and costs its partition; a good one is not', async () => {
  const test = await ChainUnderTest.start(OPEN);
  await test.land(test.submit(0, { proof: badProof }));
  await test.mineTo(OPEN + 60);
  await test.land(test.submit(1));
  await test.mineTo(OPEN + 120);
  await test.devnet.disputer.finish();
  expect(await test.events.next()).toMatchObject({
    event: 'disputed',
    deadline: 0,
    partition: [0],
    reason: 'not on curve',
  });
  expect(await test.events.next()).toMatchObject({ event: 'verified', deadline: 1, partition: [0], sectors: 2 });
  await test.mineTo(OPEN + 123);
  expect([...test.partition(0).faulty]).toEqual([0, 1]);
  expect(test.partition(1).faulty.isEmpty).toBe(true);
  expect(test.devnet.node.control.verdict()).toMatchObject({ ok: false, verified: 1, disputed: 1 });
});

test('a dispute is refused while the deadline is open and when the proof holds', async () => {
  const test = await ChainUnderTest.start(OPEN);
  await test.land(test.submit(0));
  const dispute = () =>
    test.push({
      method: MinerMethod.DisputeWindowedPoSt,
      params: encodeCbor(disputeWindowedPoStParams, { deadline: 0, poStIndex: 0 }),
    });
  expect(await test.land(dispute())).toMatchObject({ exitCode: 18 });
  await test.mineTo(OPEN + 60);
  const refused = await test.land(dispute());
  expect(refused.error).toContain('failed to dispute valid post');
});

test('a message of somebody else is forbidden, an unknown method unhandled, cut parameters no CBOR', async () => {
  const test = await ChainUnderTest.start(OPEN);
  const from = test.devnet.node.wallet.defaultAddress;
  const stranger = test.push({ from, method: MinerMethod.DeclareFaults, params: Uint8Array.of(0x81, 0x80) });
  expect(await test.land(stranger)).toMatchObject({
    exitCode: 18,
    error: expect.stringContaining('caller f0100 is not one of supported'),
  });
  expect(await test.land(test.push({ method: 77 }))).toMatchObject({ exitCode: 22 });
  expect(await test.land(test.push({ method: 5, params: Uint8Array.of(0x85, 0) }))).toMatchObject({ exitCode: 21 });
  expect(parseAddress(test.worker).protocol).toBe(1);
});

test('a deadline comes again one proving period later', async () => {
  const test = await ChainUnderTest.start(OPEN);
  await test.land(test.submit(0));
  await test.mineTo(OPEN + PERIOD);
  expect((await test.land(test.submit(0))).exitCode).toBe(0);
});
