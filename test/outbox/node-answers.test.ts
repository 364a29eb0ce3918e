import { expect, it } from 'vitest';
import { CodedError } from '../../src/errors/coded-error.ts';
import { isExecutionFailure, isNonceTooLow, isPooledAlready, isUnknownMessage } from '../../src/outbox/node-answers.ts';
import { recorded } from '../chain/recorded.ts';

const tests = { isExecutionFailure, isNonceTooLow, isPooledAlready, isUnknownMessage };

/** What a recorded error is to the outbox. */
function kinds(name: string): string[] {
  const error = recorded(name).response?.error;
  const coded = new CodedError('chain-error', 'x', { rpcCode: error?.code, nodeMessage: error?.message });
  return Object.entries(tests).flatMap(([kind, test]) => (test(coded) ? [kind] : []));
}

it.each([
  ['gas-estimate-partition-already-proven', ['isExecutionFailure']],
  ['error-gas-estimate-deadline-not-open', ['isExecutionFailure']],
  ['error-push-insufficient-funds', ['isExecutionFailure']],
  ['error-mpool-push-nonce-too-low', ['isNonceTooLow']],
  ['error-mpool-push-replace-underpriced', []],
  ['error-unknown-tipset', []],
  ['error-method-not-found', []],
])('%s is %j', (name, expected) => {
  expect(kinds(name)).toEqual(expected);
});

it('a lost connection is none of them', () => {
  const lost = new CodedError('chain-unavailable', 'nonce too low (RetCode=16) not found');
  expect(Object.values(tests).some((test) => test(lost))).toBe(false);
});
