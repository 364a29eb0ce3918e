import { expect, test } from 'vitest';
import type { HeadChange } from '../../src/programs/devnet/chain/chain.ts';
import { defaultQuiet } from '../../src/programs/devnet/quiet.ts';
import { ChainUnderTest, OPEN } from './chain-under-test.ts';

/** Resolves once the head has this height. */
function reached(test: ChainUnderTest, height: number): Promise<number> {
  return new Promise((resolve) => {
    const stop = test.chain.onChange((changes: readonly HeadChange[]) => {
      if (!changes.some(({ tipSet }) => tipSet.height >= height)) return;
      stop();
      resolve(test.chain.head.height);
    });
  });
}

test('quiet epochs pass by themselves up to the first deadline, where the chain waits for its block time', async () => {
  const test = await ChainUnderTest.start(1, { skipQuiet: defaultQuiet });
  const { control } = test.devnet.node;
  const near = reached(test, OPEN - defaultQuiet.beforeOpen - 1);
  control.setBlockTime(3_600_000);
  expect(await near).toBe(OPEN - defaultQuiet.beforeOpen - 1);
  const past = reached(test, OPEN + 10);
  control.skipTo(OPEN + 10);
  expect(await past).toBe(OPEN + 10);
});

test('a new block time holds at once', async () => {
  const test = await ChainUnderTest.start(20);
  const later = reached(test, 25);
  test.devnet.node.control.setBlockTime(1);
  expect(await later).toBe(25);
});
