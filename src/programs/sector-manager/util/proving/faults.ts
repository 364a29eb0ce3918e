import { textTable } from '../../../../cli/text-table.ts';
import type { Verb } from '../verb.ts';
import { allPartitions } from './all-partitions.ts';
import { minerScope } from './miner-scope.ts';

export const faults: Verb = {
  name: 'faults',
  about: 'list the sectors that the chain counts as faulty',
  async run(toolbox, written) {
    const scope = await minerScope(toolbox, written);
    const found = (await allPartitions(scope)).flatMap((partitions, deadline) =>
      partitions.flatMap(({ faulty, recovering }, partition) =>
        [...faulty].map((sector) => ({ deadline, partition, sector, recovering: recovering.has(sector) })),
      ),
    );
    const rows = found.map((one) => [one.deadline, one.partition, one.sector, one.recovering ? 'yes' : 'no']);
    return {
      json: found,
      text:
        found.length === 0 ? 'no faulty sectors' : textTable(['deadline', 'partition', 'sector', 'recovering'], rows),
    };
  },
};
