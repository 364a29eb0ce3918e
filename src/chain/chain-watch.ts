import { hostname } from 'node:os';
import type { Clock } from '../clock/clock.ts';
import { CoalescedLoop } from '../clock/coalesced-loop.ts';
import { ChainAlarms } from './chain-alarms.ts';
import type { ConnectedChain } from './connect-chain.ts';
import { MinerWatch, type MinerWatchComponents, type WatchedMiner } from './miner-watch.ts';
import type { TipSet } from './tipset.ts';

const RETRY_MS = 10_000;

/** Watches the chain for what nobody else looks for: nodes and clock that are wrong, disputes of our proofs, faults that stay. */
export class ChainWatch {
  readonly #alarms: ChainAlarms;
  readonly #loops: readonly CoalescedLoop[];
  #head: TipSet | undefined;

  constructor(
    components: MinerWatchComponents & { readonly clock: Clock; readonly chain: ConnectedChain },
    init: { readonly miners: readonly WatchedMiner[] },
  ) {
    this.#alarms = new ChainAlarms(components, { host: hostname() });
    this.#loops = init.miners.map((miner) => {
      const watch = new MinerWatch(components, miner);
      return new CoalescedLoop(components, {
        retryMs: RETRY_MS,
        onFailure: (err) =>
          components.logger.warn(
            { err, minerId: miner.minerId },
            'looking for disputes and faults failed, trying again',
          ),
        work: async () => {
          if (this.#head !== undefined) await watch.look(this.#head);
        },
      });
    });
  }

  start(): void {
    this.#alarms.start();
  }

  onHead(head: TipSet): void {
    this.#head = head;
    for (const loop of this.#loops) loop.wake();
  }

  async close(): Promise<void> {
    this.#alarms.close();
    await Promise.all(this.#loops.map((loop) => loop.close()));
  }
}
