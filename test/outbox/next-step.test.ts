import { CID } from 'multiformats/cid';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/filecoin/address.ts';
import type { Landing } from '../../src/outbox/look-up.ts';
import { isWorthless, type MessageFacts, nextStep } from '../../src/outbox/next-step.ts';
import type { SignedOutboxMessage } from '../../src/outbox/outbox-message.ts';
import { withdrawalOf } from '../../src/outbox/withdrawal.ts';

const cid = 'bafy2bzaceb55jfbbtdyp7u7rsunl2wigwc6e4pkwheiufqctgqsd7jh336p22';
const intention = {
  id: 'a',
  minerId: 1001,
  purpose: 'submit',
  sender: parseAddress('t0101'),
  recipient: parseAddress('t01001'),
  method: 5,
  params: new Uint8Array(),
  maxFee: 10n ** 18n,
  expiresEpoch: 160,
  confidence: 5,
} as const;
const message = {
  version: 0,
  to: intention.recipient,
  from: intention.sender,
  nonce: 7,
  value: 0n,
  gasLimit: 1_000_000,
  gasFeeCap: 1000n,
  gasPremium: 100n,
  method: 5,
  params: intention.params,
} as const;
const pushed: SignedOutboxMessage = {
  ...intention,
  state: 'pushed',
  signer: 't1zryr3khsnwgjmhb54iavga7fi6p7kek2kpwo44y',
  nonce: 7,
  signed: { message, signature: { type: 'bls', data: new Uint8Array(96) } },
  cid,
  signedHeight: 100,
};
const signed: SignedOutboxMessage = { ...pushed, state: 'signed' };
const landing: Landing = {
  isWithdrawal: false,
  cid: CID.parse(cid),
  exitCode: 0,
  return: new Uint8Array(),
  gasUsed: 1,
  height: 103,
  tipSet: [cid],
};

function step(one: SignedOutboxMessage, facts: Partial<MessageFacts> = {}) {
  return nextStep(one, { height: 104, waitsForFees: true, ...facts });
}

it('an intention is worthless when the next tipset comes too late', () => {
  const intended = { ...intention, state: 'intended' } as const;
  expect([158, 159, 160].map((height) => isWorthless(intended, height))).toEqual([false, true, true]);
  expect(isWorthless({ ...intended, expiresEpoch: null }, 10 ** 6)).toBe(false);
});

describe('a signed message', () => {
  it('is pushed before anything is asked about it', () => {
    expect(step(signed)).toEqual({ do: 'push' });
    expect(step(signed, { push: 'accepted' })).toEqual({ do: 'wait' });
  });

  it('is looked up when the push is refused, since an earlier life may have pushed it', () => {
    expect(step(signed, { push: 'nonce-too-low' })).toEqual({ do: 'look-up' });
    expect(step(signed, { push: 'refused' })).toEqual({ do: 'look-up' });
    expect(step(signed, { push: 'refused', lookup: null })).toEqual({ do: 'wait' });
  });

  it('fails only when another message has its nonce for good', () => {
    const facts = { push: 'nonce-too-low', lookup: null } as const;
    expect(step(signed, facts)).toEqual({ do: 'check-nonce' });
    expect(step(signed, { ...facts, nonceTaken: false })).toEqual({ do: 'wait' });
    expect(step(signed, { ...facts, nonceTaken: true })).toMatchObject({ do: 'finish', as: { state: 'failed' } });
  });
});

describe('a pushed message', () => {
  it('is looked up, and pushed again while the chain has it not', () => {
    expect(step(pushed)).toEqual({ do: 'look-up' });
    expect(step(pushed, { lookup: null })).toEqual({ do: 'push' });
    expect(step(pushed, { lookup: null, push: 'refused' })).toEqual({ do: 'wait' });
  });

  it('is finished with confidence, not before', () => {
    expect(step(pushed, { lookup: landing, height: 107 })).toEqual({ do: 'wait' });
    expect(step(pushed, { lookup: landing, height: 108 })).toEqual({
      do: 'finish',
      as: { state: 'landed', error: null, landing },
    });
    const failed = { ...landing, exitCode: 16 };
    expect(step(pushed, { lookup: failed, height: 108 })).toMatchObject({
      do: 'finish',
      as: { state: 'failed', error: 'exit code 16 (illegal argument)' },
    });
  });

  it('is replaced when it is stuck and its nonce is next', () => {
    const stuck = { lookup: null, height: 110 };
    expect(step(pushed, { ...stuck, height: 109 })).toEqual({ do: 'push' });
    expect(step(pushed, stuck)).toEqual({ do: 'replace', message: { ...message, gasPremium: 126n, gasFeeCap: 2000n } });
    expect(step(pushed, { ...stuck, waitsForFees: false })).toEqual({ do: 'push' });
    expect(step({ ...pushed, maxFee: 1_000n }, stuck)).toEqual({ do: 'push' });
  });

  it('is replaced sooner when it has little time left', () => {
    const late = { ...pushed, expiresEpoch: 120 };
    expect(step(late, { lookup: null, height: 103 })).toEqual({ do: 'push' });
    expect(step(late, { lookup: null, height: 104 })).toMatchObject({ do: 'replace' });
    expect(step({ ...late, expiresEpoch: 103 }, { lookup: null, height: 101 })).toEqual({ do: 'push' });
    expect(step({ ...late, expiresEpoch: 103 }, { lookup: null, height: 102 })).toMatchObject({ do: 'replace' });
  });
});

describe('a message whose epoch has passed', () => {
  const late = { lookup: null, height: 160, waitsForFees: false };
  const withdrawal = { ...withdrawalOf(message), gasPremium: 126n, gasFeeCap: 2000n };

  it('gives its nonce to a transfer of nothing, whatever is before it in line', () => {
    expect(step(pushed, { ...late, height: 159 })).toEqual({ do: 'push' });
    expect(step(pushed, late)).toEqual({ do: 'replace', message: withdrawal });
    expect(step(pushed, { ...late, lookup: landing })).toMatchObject({ do: 'finish', as: { state: 'landed' } });
  });

  it('is not pushed first when it was not yet', () => {
    expect(step(signed, { height: 160 })).toEqual({ do: 'look-up' });
    expect(step(signed, late)).toEqual({ do: 'replace', message: withdrawal });
  });

  it('is kept pushed where the transfer costs too much: the nonce must be filled', () => {
    expect(step({ ...pushed, maxFee: 1000n }, late)).toEqual({ do: 'push' });
  });

  it('is finished when the transfer landed, which itself is replaced when it is stuck', () => {
    const withdrawn = { ...pushed, signed: { ...pushed.signed, message: withdrawal }, signedHeight: 160 };
    expect(step(withdrawn, { ...late, height: 169, waitsForFees: true })).toEqual({ do: 'push' });
    expect(step(withdrawn, { ...late, height: 170, waitsForFees: true })).toMatchObject({
      do: 'replace',
      message: { method: 0, gasPremium: 158n },
    });
    const used = { ...landing, height: 162, isWithdrawal: true };
    expect(step(withdrawn, { ...late, lookup: used, height: 167 })).toMatchObject({
      do: 'finish',
      as: { state: 'expired' },
    });
  });
});
