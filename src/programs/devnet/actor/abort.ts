import { CodedError } from '../../../errors/coded-error.ts';

/** Exit codes of the chain, and their names in error texts. */
export const exitNames: Readonly<Record<number, string>> = {
  0: 'Ok',
  6: 'SysErrInsufficientFunds',
  7: 'SysErrOutOfGas',
  16: 'ErrIllegalArgument',
  17: 'ErrNotFound',
  18: 'ErrForbidden',
  21: 'ErrSerialization',
  22: 'ErrUnhandledMessage',
};

export const Exit = {
  insufficientFunds: 6,
  outOfGas: 7,
  illegalArgument: 16,
  notFound: 17,
  forbidden: 18,
  serialization: 21,
  unhandledMessage: 22,
} as const;

/** How an actor gives a message up. `causedBy` is the error of a system call, as it stands in the backtrace. */
export function abort(exitCode: number, text: string, causedBy?: string): CodedError {
  return new CodedError('actor-abort', text, { exitCode, causedBy });
}

/** Runs `work`; what it aborts with gets `prefix: ` in front of its text. */
export function abortingWith<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'actor-abort') throw error;
    throw abort(Number(error.data.exitCode), `${prefix}: ${error.message}`);
  }
}
