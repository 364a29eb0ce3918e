import { textTable } from '../../../../cli/text-table.ts';
import { newDeadline, nextNotElapsed } from '../../../../filecoin/deadline.ts';
import type { Verb } from '../verb.ts';
import { allPartitions, countOf } from './all-partitions.ts';
import { minerScope } from './miner-scope.ts';
import { isSet } from './usage.ts';

export const deadlines: Verb = {
  name: 'deadlines',
  about: 'list the deadlines that have sectors',
  options: [{ flags: '-a, --all', about: 'also those without sectors' }],
  async run(toolbox, written) {
    const scope = await minerScope(toolbox, written);
    const { chain, address, head, current } = scope;
    const [states, partitions] = await Promise.all([chain.deadlines(address, head.key), allPartitions(scope)]);
    const all = partitions.map((some, index) => ({
      deadline: index,
      open: nextNotElapsed(newDeadline(current.periodStart, index, head.height, current.policy)).open,
      partitions: some.length,
      sectors: countOf(some, 'live'),
      faults: countOf(some, 'faulty'),
      recovering: countOf(some, 'recovering'),
      provenPartitions: [...(states[index]?.postSubmissions ?? [])].length,
      disputableProofs: states[index]?.disputableProofCount ?? 0,
      current: index === current.index,
    }));
    const shown = isSet(written, 'all') ? all : all.filter((one) => one.sectors > 0);
    const rows = shown.map((one) => [
      `${one.deadline}${one.current ? ' (current)' : ''}`,
      one.open,
      one.partitions,
      `${one.sectors} (${one.faults})`,
      one.provenPartitions,
    ]);
    return {
      json: shown,
      text: textTable(['deadline', 'open', 'partitions', 'sectors (faults)', 'proven partitions'], rows),
    };
  },
};
