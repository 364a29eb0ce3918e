import { CodedError } from '../errors/coded-error.ts';
import type { Clock } from './clock.ts';

/** `work`, or a `time-limit` error after `ms`. The work itself goes on: what must end has to be ended by its owner. */
export function withTimeLimit<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const callOff = clock.after(ms, () =>
      reject(new CodedError('time-limit', `${what} gave no answer within ${ms} ms`)),
    );
    work.then(resolve, reject).finally(callOff);
  });
}
