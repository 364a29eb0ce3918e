import type { Address } from '../../../filecoin/address.ts';
import { formatAddress } from '../../../filecoin/address.ts';
import { formatSectorSize } from '../../../filecoin/sector-size.ts';
import { filText } from './fil-text.ts';
import { labelled } from './labelled.ts';
import { type MinerScope, minerScope } from './proving/miner-scope.ts';
import type { Group } from './verb.ts';

export const minerGroup: Group = {
  name: 'miner',
  about: 'look at a miner',
  members: [
    {
      name: 'info',
      args: ['[miner]'],
      about: 'show who may act for a miner, what they own, and how it proves',
      async run(toolbox, { args, options }) {
        const scope = await minerScope(toolbox, { args, options: { ...options, miner: args[0] ?? options.miner } });
        const { chain, address, head, current } = scope;
        const info = await chain.minerInfo(address, head.key);
        const [balance, available, owner, worker, ...controls] = await Promise.all([
          chain.actorBalance(address, head.key),
          chain.minerAvailableBalance(address, head.key),
          ...[info.owner, info.worker, ...info.controlAddresses].map((one) => holder(scope, one)),
        ]);
        const json = {
          miner: formatAddress(address),
          balance: balance.toString(),
          available: available.toString(),
          owner,
          worker,
          controls,
          sectorSize: info.sectorSize,
          windowPoStProofType: info.windowPoStProofType,
          partitionSectors: info.windowPoStPartitionSectors,
          epoch: head.height,
          deadline: {
            index: current.index,
            open: current.open,
            close: current.close,
            periodStart: current.periodStart,
          },
        };
        const text = labelled([
          ['Miner:', json.miner],
          ['Balance:', filText(balance)],
          ['Available:', filText(available)],
          ['Owner:', holderText(owner)],
          ['Worker:', holderText(worker)],
          ...controls.map((control, index): [string, string] => [`Control-${index}:`, holderText(control)]),
          ['Sector Size:', formatSectorSize(info.sectorSize)],
          ['Partition Sectors:', info.windowPoStPartitionSectors],
          ['Period Start:', current.periodStart],
          ['Deadline:', `${current.index}, epochs ${current.open} to ${current.close}, now ${head.height}`],
        ]);
        return { json, text };
      },
    },
  ],
};

interface Holder {
  readonly id: string;
  /** Absent for what is no account: a multi-signature owner. */
  readonly key?: string;
  /** attoFIL. */
  readonly balance: string;
}

async function holder({ chain, head }: MinerScope, address: Address): Promise<Holder> {
  const [key, balance] = await Promise.all([
    chain.accountKey(address, head.key).catch(() => undefined),
    chain.actorBalance(address, head.key),
  ]);
  return { id: formatAddress(address), ...(key && { key: formatAddress(key) }), balance: balance.toString() };
}

function holderText(holder: Holder | undefined): string {
  return holder === undefined ? '' : `${holder.id}  ${filText(BigInt(holder.balance))}  ${holder.key ?? ''}`.trimEnd();
}
