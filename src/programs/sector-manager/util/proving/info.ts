import { formatAddress } from '../../../../filecoin/address.ts';
import { nextPeriodStart } from '../../../../filecoin/deadline.ts';
import type { Verb } from '../verb.ts';
import { allPartitions, countOf } from './all-partitions.ts';
import { epochText } from './epoch-text.ts';
import { minerScope } from './miner-scope.ts';

export const info: Verb = {
  name: 'info',
  about: 'show where the miner is in its proving period',
  async run(toolbox, written) {
    const scope = await minerScope(toolbox, written);
    const { chain, head, current } = scope;
    const [deadlines, at] = await Promise.all([allPartitions(scope), epochText(chain, head)]);
    const all = deadlines.flat();
    const json = {
      miner: formatAddress(scope.address),
      epoch: head.height,
      periodBoundary: modulo(current.periodStart, current.policy.provingPeriod),
      periodStart: current.periodStart,
      nextPeriodStart: nextPeriodStart(current),
      sectors: countOf(all, 'live'),
      faults: countOf(all, 'faulty'),
      recovering: countOf(all, 'recovering'),
      deadline: {
        index: current.index,
        sectors: countOf(deadlines[current.index] ?? [], 'live'),
        open: current.open,
        close: current.close,
        challenge: current.challenge,
        faultCutoff: current.faultCutoff,
      },
    };
    const share = json.sectors === 0 ? 0 : (json.faults * 100) / json.sectors;
    const lines = [
      ['Miner:', json.miner],
      ['Current Epoch:', json.epoch],
      ['Proving Period Boundary:', json.periodBoundary],
      ['Proving Period Start:', at(json.periodStart)],
      ['Next Period Start:', at(json.nextPeriodStart)],
      ['Faults:', `${json.faults} (${share.toFixed(2)}%)`],
      ['Recovering:', json.recovering],
      ['Deadline Index:', json.deadline.index],
      ['Deadline Sectors:', json.deadline.sectors],
      ['Deadline Open:', at(json.deadline.open)],
      ['Deadline Close:', at(json.deadline.close)],
      ['Deadline Challenge:', at(json.deadline.challenge)],
      ['Deadline FaultCutoff:', at(json.deadline.faultCutoff)],
    ];
    return { json, text: lines.map(([label, value]) => `${String(label).padEnd(25)}${value}`).join('\n') };
  },
};

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
