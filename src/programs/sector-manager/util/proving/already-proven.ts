import type { TipSet } from '../../../../chain/tipset.ts';
import { CodedError } from '../../../../errors/coded-error.ts';
import type { PartitionScope } from './partition-scope.ts';

/** Of a deadline that is open. @throws CodedError `already-proven` */
export async function throwIfProven(
  { chain, address, deadline, partition }: PartitionScope,
  head: TipSet,
): Promise<void> {
  const posted = (await chain.deadlines(address, head.key))[deadline.index]?.postSubmissions;
  if (posted?.has(partition)) {
    throw new CodedError(
      'already-proven',
      `deadline ${deadline.index}, partition ${partition} is proven on chain already`,
    );
  }
}
