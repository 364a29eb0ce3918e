import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseAddress } from '../../src/filecoin/address.ts';
import type { Message } from '../../src/filecoin/message.ts';
import { withHigherFees } from '../../src/outbox/replacement.ts';

const address = parseAddress('t0101');
const atto = fc.bigInt(0n, 10n ** 13n);
const fees = fc
  .record({ gasLimit: fc.integer({ min: 1, max: 10 ** 10 }), gasFeeCap: atto, gasPremium: atto })
  .filter(({ gasFeeCap, gasPremium }) => gasPremium <= gasFeeCap);

function messageWith(gas: Pick<Message, 'gasLimit' | 'gasFeeCap' | 'gasPremium'>): Message {
  return { version: 0, to: address, from: address, nonce: 1, value: 0n, method: 5, params: new Uint8Array(), ...gas };
}

it('a replacement is one that the node takes, never above the limit, and otherwise the same message', () => {
  fc.assert(
    fc.property(fees, fc.bigInt(0n, 10n ** 20n), (gas, maxFee) => {
      const before = messageWith(gas);
      const after = withHigherFees(before, maxFee);
      if (after === undefined) return;
      // The rule by which a node answered 109547 to 99588 (recorded).
      expect(after.gasPremium).toBeGreaterThanOrEqual((gas.gasPremium * 11n) / 10n + 1n);
      expect(after.gasPremium).toBeLessThanOrEqual(after.gasFeeCap);
      const highestCap = maxFee / BigInt(gas.gasLimit);
      const leastCap = gas.gasFeeCap < highestCap ? gas.gasFeeCap : highestCap;
      expect(after.gasFeeCap).toBeGreaterThanOrEqual(leastCap);
      expect(after.gasFeeCap * BigInt(gas.gasLimit)).toBeLessThanOrEqual(maxFee);
      expect({ ...after, gasPremium: 0n, gasFeeCap: 0n }).toEqual({ ...before, gasPremium: 0n, gasFeeCap: 0n });
    }),
  );
});

it('there is one as long as the limit leaves room for 1.25 times the premium', () => {
  fc.assert(
    fc.property(fees, (gas) => {
      const enough = (gas.gasFeeCap * 2n + 1n) * BigInt(gas.gasLimit);
      expect(withHigherFees(messageWith(gas), enough)?.gasPremium).toBe((gas.gasPremium * 5n) / 4n + 1n);
    }),
  );
});

it('is none when the limit is reached', () => {
  const message = messageWith({ gasLimit: 1000, gasFeeCap: 100n, gasPremium: 100n });
  expect(withHigherFees(message, 100_000n)).toBeUndefined();
});
