import { rm, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { MINER, OPEN } from '../devnet/chain-under-test.ts';
import { provingScene } from './proving-scene.ts';

test('info, deadlines, deadline and faults show what the chain says', async () => {
  const { chain, run } = await provingScene(OPEN - 90, { sectors: 4 });
  const { exitCode } = await chain.land(chain.declare('faults', 1, [2]));
  expect(exitCode).toBe(0);
  await chain.mineTo(OPEN + 2);

  expect((await run('info')).json).toMatchObject({
    miner: `t0${MINER}`,
    epoch: OPEN + 2,
    periodBoundary: OPEN,
    periodStart: OPEN,
    sectors: 4,
    faults: 1,
    recovering: 0,
    deadline: { index: 0, sectors: 2, open: OPEN, close: OPEN + 60, challenge: OPEN - 20 },
  });
  expect((await run('info')).text).toContain('Deadline Index:          0');

  expect((await run('faults')).json).toEqual([{ deadline: 1, partition: 0, sector: 2, recovering: false }]);

  const shown = (await run('deadlines')).json as readonly object[];
  expect(shown).toMatchObject([
    { deadline: 0, open: OPEN, sectors: 2, faults: 0, provenPartitions: 0, current: true },
    { deadline: 1, open: OPEN + 60, sectors: 2, faults: 1, current: false },
  ]);
  expect((await run('deadlines', { all: true })).json).toHaveLength(48);

  const one = await run('deadline', { sectorNums: true, bitfield: true, miner: `f0${MINER}` }, '1');
  expect(one.json).toMatchObject({
    deadline: 1,
    partitions: [{ partition: 0, proven: false, live: { count: 2, sectors: [2, 3] }, faulty: { runs: [2, 1] } }],
  });
});

test('check finds what is missing by a look, and what is corrupt by reading it', async () => {
  const { run, sealedFile } = await provingScene(OPEN - 90, { sectors: 6, partitionsPerDeadline: 3 });
  expect(await run('check', {}, '0')).toMatchObject({ json: { checked: 6, good: 6 }, exitCode: 0 });

  await rm(sealedFile(1));
  await truncate(sealedFile(2), 100);
  await writeFile(sealedFile(4), Buffer.alloc(2048, 1));
  const quick = await run('check', { onlyBad: true }, '0');
  expect(quick).toMatchObject({ json: { checked: 6, good: 4 }, exitCode: 1 });
  expect(
    (quick.json as { sectors: { number: number; verdict: string }[] }).sectors.map(({ number }) => number),
  ).toEqual([1, 2]);
  const slow = await run('check', { onlyBad: true, slow: true, detail: true }, '0');
  expect(slow.json).toMatchObject({
    good: 3,
    sectors: [
      { number: 1, partition: 0, verdict: 'bad' },
      { number: 2, partition: 1, verdict: 'bad' },
      { number: 4, partition: 2, verdict: 'corrupt' },
    ],
  });
});

test('what is written wrong is said in one line', async () => {
  const { run } = await provingScene(OPEN - 90, { sectors: 2 });
  const usage = (text: string) => expect.objectContaining({ code: 'usage', message: expect.stringContaining(text) });
  await expect(run('deadline', {}, '48')).rejects.toEqual(usage('from 0 to 47'));
  await expect(run('info', { miner: 'x' })).rejects.toEqual(usage('--miner must be'));
  await expect(run('simulate-wdpost', { ddlIdx: '0' })).rejects.toEqual(usage('--partition-idx is missing'));
  await expect(run('prove', { deadline: '0', partition: '3' })).rejects.toEqual(usage('has 1 partitions'));
});
