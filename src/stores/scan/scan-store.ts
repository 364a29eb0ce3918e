import type { Clock } from '../../clock/clock.ts';
import { withTimeLimit } from '../../clock/time-limit.ts';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Finding } from '../check-messages.ts';
import type { SectorSet } from '../index/sector-set.ts';
import { globToRegExp } from './glob.ts';
import type { Looks, ScanMessage, ScanOrder } from './scan-messages.ts';
import { ScanProcesses } from './scan-processes.ts';
import type { ScanBatch, ScannedSector, ScanProgress } from './scanned-sector.ts';
import { endStoreProcess, linesOf, type StoreProcess } from './store-process.ts';

export interface KnownSectors {
  readonly minerId: number;
  readonly upgraded: boolean;
  readonly sectors: SectorSet;
}

export interface ScanInit {
  readonly path: string;
  /** Of names, see glob.ts. */
  readonly pattern?: string;
  /** These are listed and not looked at. */
  readonly known?: readonly KnownSectors[];
  /** How many are looked at in a second, 1 or more; as many as the store can where absent. */
  readonly sectorsPerSecond?: number;
  /** For how long nothing may come from the store. */
  readonly silenceMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ScanProgress) => void;
}

/** A large folder on a busy server takes its time before its first names come. */
const SILENCE_MS = 30_000;
const scans = new ScanProcesses();
const good: Finding = { is: 'good', reason: '' };

/**
 * Finds the sectors of a store in a process of its own. A file that gives no answer for a third of the allowed silence, while the
 * store does, makes its sector `unknown`. What was yielded before an error was seen; what was not yielded tells
 * something only after a normal end.
 * @throws CodedError `store-does-not-answer`, `store-not-readable`, `store-empty`, `store-replaced`, `scan-failed`, `bad-pattern`; the
 * signal's reason
 */
export async function* scanStore(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: ScanInit,
): AsyncGenerator<ScanBatch, void, void> {
  const { path, signal, onProgress } = init;
  globToRegExp(init.pattern ?? '*');
  signal?.throwIfAborted();
  const child = scans.start(components.clock, path);
  const onAbort = () => endStoreProcess(child);
  signal?.addEventListener('abort', onAbort);
  try {
    child.stdin.write(`${JSON.stringify(orderOf(init))}\n`);
    for await (const { progress, looks, strange, failure, isDone } of messagesOf(components.clock, child, init)) {
      if (progress !== undefined) onProgress?.(progress);
      if (looks !== undefined) yield { sectors: sectorsOf(looks), strange: [], strangeCount: 0 };
      if (strange !== undefined) yield { sectors: [], ...strange };
      if (failure !== undefined) {
        const { code, reason, isMount = false } = failure;
        throw new CodedError(code, `store ${path}: ${reason}`, { path, isMount });
      }
      if (isDone) return;
    }
    signal?.throwIfAborted();
    throw new CodedError('scan-failed', `store ${path}: the process that scanned it ended`, { path });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    components.logger.debug({ path, pid: child.pid }, 'scan ends');
    endStoreProcess(child);
  }
}

/** No time counts while the caller is busy. */
async function* messagesOf(clock: Clock, child: StoreProcess, init: ScanInit): AsyncGenerator<ScanMessage, void, void> {
  const { path, signal, silenceMs = SILENCE_MS } = init;
  const lines = linesOf(child);
  for (;;) {
    const next = await withTimeLimit(clock, silenceMs, `store ${path}`, lines.next()).catch((error: unknown) => {
      if (errorCode(error) !== 'time-limit') throw error;
      throw new CodedError('store-does-not-answer', errorText(error), { path });
    });
    signal?.throwIfAborted();
    if (next.done) return;
    yield JSON.parse(next.value);
  }
}

function orderOf(init: ScanInit): ScanOrder {
  return {
    path: init.path,
    pattern: init.pattern ?? '*',
    sectorsPerSecond: init.sectorsPerSecond ?? null,
    fileLimitMs: (init.silenceMs ?? SILENCE_MS) / 3,
    known: (init.known ?? []).map(({ minerId, upgraded, sectors }) => ({
      minerId,
      upgraded,
      blocks: sectors.blocks().map(([block, bits]) => [block, Buffer.from(bits).toString('base64')] as const),
    })),
  };
}

function sectorsOf({ good: goodOnes, doubtful }: Looks): ScannedSector[] {
  const sectors = [...doubtful];
  for (const { numbers, minerId, upgraded, sectorSize } of goodOnes) {
    for (const number of numbers) sectors.push({ minerId, number, upgraded, sectorSize, sealed: good, cache: good });
  }
  return sectors;
}
