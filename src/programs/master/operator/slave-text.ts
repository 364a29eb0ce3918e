import { readableDistance, readableTime } from '../../../cli/readable.ts';
import { textTable } from '../../../cli/text-table.ts';
import type { SlaveReport } from '../../../rpc/methods.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const KIB = 2 ** 10;

export function slaveList(slaves: readonly SlaveReport[], now: number): string {
  if (slaves.length === 0) return 'no slave has come yet';
  const rows = slaves.map((slave) => [
    slave.name,
    slaveState(slave, now),
    slave.slots,
    slave.busy,
    slave.sectorSize === null ? 'any' : size(slave.sectorSize),
    readableTime(slave.joinedAt),
    slave.remote,
  ]);
  return textTable(['NAME', 'STATE', 'SLOTS', 'BUSY', 'SECTORS', 'SINCE', 'ADDRESS'], rows);
}

export function slaveState({ state, busy, heldUntil, leftAt }: SlaveReport, now: number): string {
  if (state === 'draining') return `draining (${busy} running)`;
  if (state === 'held back' && heldUntil !== null) return `held back (${readableDistance(heldUntil, now)})`;
  if (leftAt !== null) return `${state} (left ${readableDistance(leftAt, now)})`;
  return state;
}

function size(bytes: number): string {
  if (bytes >= GIB) return `${bytes / GIB} GiB`;
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
}
