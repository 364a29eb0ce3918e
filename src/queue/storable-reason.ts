import { errorCode } from '../errors/coded-error.ts';

/** Strict mode's word for text that the column's character set has not. */
const NOT_OF_CHARACTER_SET = 'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD';

/**
 * Writes a reason to `error_reason`, in whatever character set its table was made: what it cannot hold becomes question marks, since
 * a state that is not stored is worse. Such a statement has changed nothing, and its transaction goes on.
 */
export async function storableReason<R extends string | null, T>(
  reason: R,
  write: (reason: R | string) => Promise<T>,
): Promise<T> {
  try {
    return await write(reason);
  } catch (error) {
    if (reason === null || errorCode(error) !== NOT_OF_CHARACTER_SET) throw error;
    return await write(reason.replaceAll(/[^ -~]/gu, '?'));
  }
}
