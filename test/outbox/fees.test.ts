import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/filecoin/address.ts';
import type { Message } from '../../src/filecoin/message.ts';
import { costOf, withGas } from '../../src/outbox/fees.ts';
import { nodeFees } from '../../src/outbox/settings.ts';

const draft: Message = {
  version: 0,
  to: parseAddress('t01001'),
  from: parseAddress('t0101'),
  nonce: 0,
  value: 0n,
  gasLimit: 0,
  gasFeeCap: 0n,
  gasPremium: 0n,
  method: 5,
  params: new Uint8Array(),
};
const head = { key: ['x'], height: 1, minTimestamp: 0, baseFee: 1000n };

/** A node that fills in what is 0, as Lotus does. */
function node(gasUsed = 1_000_000) {
  return {
    estimateGasLimit: async () => gasUsed,
    estimateGas: async (message: Message) => ({
      ...message,
      gasLimit: message.gasLimit || 1_250_000,
      gasPremium: message.gasPremium || 100n,
      gasFeeCap: message.gasFeeCap || 10_600n,
    }),
  } as unknown as Parameters<typeof withGas>[0]['chain'];
}

describe('the gas of a message', () => {
  const withRules = (rules: Partial<typeof nodeFees>, maxFee = 10n ** 18n, gasUsed?: number) =>
    withGas({ chain: node(gasUsed) }, draft, { ...nodeFees, ...rules }, maxFee, head);

  it('is the node’s where the rules say nothing', async () => {
    expect(await withRules({})).toMatchObject({ gasLimit: 1_250_000, gasPremium: 100n, gasFeeCap: 10_600n });
  });

  it('follows GasOverEstimation up to a whole block, GasOverPremium and GasFeeCap', async () => {
    const rules = { gasOverEstimation: 1.2, gasOverPremium: 1.5, gasFeeCap: 5000n };
    expect(await withRules(rules)).toMatchObject({ gasLimit: 1_200_000, gasPremium: 150n, gasFeeCap: 5000n });
    expect(await withRules(rules, 10n ** 18n, 9_000_000_000)).toMatchObject({ gasLimit: 10_000_000_000 });
  });

  it('does not start with a fee cap that the base fee has passed', async () => {
    expect(await withRules({ gasFeeCap: 1250n })).toMatchObject({ gasFeeCap: 1250n });
    expect(await withRules({ gasFeeCap: 1249n })).toMatchObject({ gasFeeCap: 10_600n });
  });

  it('never costs more than the limit', async () => {
    expect(await withRules({ gasOverPremium: 1000 }, 1_250_000n * 50n)).toMatchObject({
      gasFeeCap: 50n,
      gasPremium: 50n,
    });
  });
});

describe('the cost of a message', () => {
  it('is what the network computes', () => {
    const message = { gasLimit: 1000, gasFeeCap: 20n, gasPremium: 3n };
    // All that was asked for is used: nothing burnt.
    expect(costOf(message, 1000, 10n)).toBe(13_000n);
    // 500 unused, 450 over 1.1 times what was used: 500 * 450 / 500 burnt.
    expect(costOf(message, 500, 10n)).toBe(10n * 950n + 3n * 1000n);
    // The tip gives way to the fee cap.
    expect(costOf(message, 1000, 19n)).toBe(20_000n);
  });

  it('is at most gas limit times fee cap', () => {
    fc.assert(
      fc.property(
        fc.nat(10 ** 7),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(1000),
        fc.nat(1000),
        fc.nat(1000),
        (limit, share, cap, premium, baseFee) => {
          const message = { gasLimit: limit, gasFeeCap: BigInt(cap), gasPremium: BigInt(Math.min(premium, cap)) };
          const cost = costOf(message, Math.floor(limit * share), BigInt(baseFee));
          expect(cost >= 0n && cost <= BigInt(limit) * BigInt(cap)).toBe(true);
        },
      ),
    );
  });
});
