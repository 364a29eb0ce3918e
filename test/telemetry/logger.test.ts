import { expect, test } from 'vitest';
import { CodedError } from '../../src/errors/coded-error.ts';
import { describeError } from '../../src/telemetry/logger.ts';

test('a database error is described without its statement, which may hold a task', () => {
  const error = Object.assign(new Error('Data too long'), { code: 'ER_DATA_TOO_LONG', sql: "INSERT … 'body'" });
  const described = describeError(error);
  expect(described).toMatchObject({ message: 'Data too long', code: 'ER_DATA_TOO_LONG' });
  expect(JSON.stringify(described)).not.toContain('body');
});

test('our own errors are described in a line', () => {
  const error = new CodedError('bad-task', 'seed: too short', { cause: new Error('why') });
  expect(describeError(error)).toEqual({ code: 'bad-task', message: 'seed: too short: why' });
});
