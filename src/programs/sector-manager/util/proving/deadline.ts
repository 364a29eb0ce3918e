import type { Partition } from '../../../../chain/miner-state.ts';
import type { Bitfield } from '../../../../filecoin/bitfield.ts';
import { newDeadline, nextNotElapsed } from '../../../../filecoin/deadline.ts';
import type { Verb } from '../verb.ts';
import { countOf } from './all-partitions.ts';
import { minerScope } from './miner-scope.ts';
import { deadlineIndex, isSet } from './usage.ts';

export const deadline: Verb = {
  name: 'deadline',
  args: ['<idx>'],
  example: '5 --sector-nums',
  about: 'show one deadline and its partitions',
  options: [
    { flags: '-n, --sector-nums', about: 'also the numbers of the sectors' },
    { flags: '-b, --bitfield', about: 'also the bit fields, as run lengths' },
  ],
  async run(toolbox, written) {
    const index = deadlineIndex(written.args[0], 'the deadline');
    const { chain, address, head, current } = await minerScope(toolbox, written);
    const [states, partitions] = await Promise.all([
      chain.deadlines(address, head.key),
      chain.partitions(address, index, head.key),
    ]);
    const window = nextNotElapsed(newDeadline(current.periodStart, index, head.height, current.policy));
    const proven = states[index]?.postSubmissions;
    const shown = { numbers: isSet(written, 'sectorNums'), runs: isSet(written, 'bitfield') };
    const json = {
      deadline: index,
      open: window.open,
      close: window.close,
      current: index === current.index,
      partitions: partitions.map((partition, number) => ({
        partition: number,
        proven: proven?.has(number) ?? false,
        ...Object.fromEntries(kinds.map((kind) => [kind, described(partition[kind], shown)])),
      })),
      disputableProofs: states[index]?.disputableProofCount ?? 0,
    };
    const lines = [
      `Deadline Index:           ${index}${json.current ? ' (current)' : ''}`,
      `Open:                     ${window.open}`,
      `Close:                    ${window.close}`,
      `Partitions:               ${partitions.length}`,
      `Sectors:                  ${countOf(partitions, 'live')}`,
      `Faults:                   ${countOf(partitions, 'faulty')}`,
      `Proven Partitions:        ${[...(proven ?? [])].length}`,
      `Disputable Proofs:        ${json.disputableProofs}`,
      ...partitions.flatMap((partition, number) => [
        '',
        `Partition Index:          ${number}${proven?.has(number) ? ' (proven)' : ''}`,
        ...kinds.flatMap((kind) => fieldLines(kind, partition[kind], shown)),
      ]),
    ];
    return { json, text: lines.join('\n') };
  },
};

const kinds = ['all', 'live', 'active', 'faulty', 'recovering'] as const satisfies readonly (keyof Partition)[];

interface Shown {
  readonly numbers: boolean;
  readonly runs: boolean;
}

function described(field: Bitfield, { numbers, runs }: Shown) {
  return { count: field.count, ...(numbers && { sectors: [...field] }), ...(runs && { runs: field.toJsonRuns() }) };
}

function fieldLines(kind: string, field: Bitfield, { numbers, runs }: Shown): string[] {
  const indented = (text: string) => `  ${text}`;
  return [
    indented(`${kind[0]?.toUpperCase()}${kind.slice(1)} sectors:`.padEnd(24) + field.count),
    ...(numbers && !field.isEmpty ? [indented(`  numbers: ${[...field].join(', ')}`)] : []),
    ...(runs ? [indented(`  bitfield: ${field.toJsonRuns().join(' ')}`)] : []),
  ];
}
