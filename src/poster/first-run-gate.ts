import type { TipSet } from '../chain/tipset.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import type { GoodSector } from '../stores/sector-check.ts';
import { challengeRandomness } from './challenge.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import { isGatePassed, rememberGatePass } from './gate-store.ts';
import type { Recoverable } from './recoveries.ts';
import { simulatePartition } from './simulate-partition.ts';
import { windowTask } from './window-task.ts';

/** What a declaration would hold. */
interface Candidate {
  readonly sectors: readonly GoodSector[];
  /** RegisteredPoStProof number. */
  readonly proofType: number;
  readonly found: readonly Recoverable[];
  readonly head: TipSet;
}

/** Later than any real deadline that is proven now, so that no real task waits for this one in the queue. */
const GIVE_UP_MS = 2 * 3_600_000;
/** Randomness so young may still be undone by a reorganisation. */
const CHALLENGE_AGE_EPOCHS = 10;

/**
 * Holds back a miner's first declaration until the line from stores to verified proof was seen to work for it. A window PoSt shows that
 * itself and is never held back; where there was none, some of the sectors to declare are proven for it.
 */
export class FirstRunGate {
  readonly #components: PosterComponents;
  readonly #miner: MinerSettings;
  readonly #signal: AbortSignal;
  #isOpen: boolean;

  constructor(components: PosterComponents, init: { readonly miner: MinerSettings; readonly signal: AbortSignal }) {
    this.#components = components;
    this.#miner = init.miner;
    this.#signal = init.signal;
    this.#isOpen = !init.miner.firstRunGate;
  }

  async mayDeclare(candidate: Candidate): Promise<boolean> {
    if (this.#isOpen) return true;
    const { alerts, chain, db } = this.#components;
    const { minerId } = this.#miner;
    const network = await chain.networkName();
    const trouble = (await isGatePassed(db, { minerId, network })) ? null : await this.#tryOut(candidate, network);
    const condition = `first-run-gate/${minerId}`;
    if (trouble === null) {
      this.#isOpen = true;
      alerts.resolve(condition);
      return true;
    }
    const text =
      `no recovery is declared for miner ${minerId} before one of its partitions was proven and verified; a trial failed: ${trouble}. ` +
      'Mend that, or set FirstRunGate = false';
    alerts.raise(condition, { class: 'first-run-gate', severity: 'critical', minerId, text });
    return false;
  }

  /** Why a proof of one partition of the candidate did not come about; null where it did. */
  async #tryOut({ sectors, proofType, found, head }: Candidate, network: string): Promise<string | null> {
    const { chain, clock, db } = this.#components;
    const { minerId, address } = this.#miner;
    const wanted = found[0]?.sectors ?? Bitfield.empty;
    const infos = new Map((await chain.sectors(address, wanted, head.key)).map((info) => [info.number, info]));
    const task = windowTask({
      minerId,
      proofType,
      sectors: sectors.filter(({ number }) => wanted.has(number)),
      infos,
      randomness: await challengeRandomness(chain, address, Math.max(head.height - CHALLENGE_AGE_EPOCHS, 1), head.key),
    });
    const init = { task, closeAt: clock.now() + GIVE_UP_MS, signal: this.#signal };
    const simulation = await simulatePartition(this.#components, init);
    if (!simulation.passed) return simulation.reason;
    const pass = { minerId, network, by: 'recovery' as const, task: simulation.task, now: clock.now() };
    await db.transaction((trx) => rememberGatePass(trx, pass));
    return null;
  }
}
