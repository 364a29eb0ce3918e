import type { Clock } from '../../clock/clock.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { type StoreProcess, startStoreProcess } from './store-process.ts';

/** Of one store; those that hang in it and cannot be killed count. */
const MOST = 4;
/** What the others hang in may never answer, and a fresh mount there will. */
const AGAIN_MS = 3_600_000;

interface Started {
  readonly running: Set<StoreProcess>;
  at: number;
}

/** Scan processes that have not ended, by path of the store: each holds memory as long as it hangs. */
export class ScanProcesses {
  readonly #started = new Map<string, Started>();

  /** @throws CodedError `store-does-not-answer` */
  start(clock: Clock, path: string): StoreProcess {
    const { running, at } = this.#started.get(path) ?? { running: new Set(), at: 0 };
    const now = clock.monotonic();
    if (running.size >= MOST && now - at < AGAIN_MS) {
      throw new CodedError(
        'store-does-not-answer',
        `store ${path}: ${running.size} processes that scan it have not ended`,
        {
          path,
        },
      );
    }
    const child = startStoreProcess('scan-process');
    running.add(child);
    this.#started.set(path, { running, at: now });
    const ended = () => {
      running.delete(child);
      if (running.size === 0) this.#started.delete(path);
    };
    child.on('exit', ended).on('error', ended);
    return child;
  }
}
