import { isUnmet } from '../database/together.ts';
import { CodedError, errorCode } from '../errors/coded-error.ts';

/** Rolls a batch back whose rows are not what the plain case expects. */
export function notPlain(): CodedError {
  return new CodedError('not-plain', 'the rows are not those of the plain case');
}

/** A key that is there already, and a demand that is not met, say the same. */
const NOT_PLAIN = new Set(['not-plain', 'ER_DUP_ENTRY']);

/**
 * Runs a whole batch as the plain case, or else each item by the function that knows all cases. A batch that was not plain has
 * written nothing.
 */
export async function plainOrSingly<I, O>(
  items: readonly I[],
  plain: (items: readonly I[]) => Promise<O[]>,
  singly: (item: I) => Promise<O>,
): Promise<O[]> {
  try {
    return await plain(items);
  } catch (error) {
    if (!NOT_PLAIN.has(errorCode(error) ?? '') && !isUnmet(error)) throw error;
  }
  const results: O[] = [];
  for (const item of items) results.push(await singly(item));
  return results;
}
