import { errorText } from '../../errors/coded-error.ts';
import { type Address, actorId, idAddress } from '../../filecoin/address.ts';
import { encodeCbor } from '../../filecoin/cbor.ts';
import { type Message, signedMessageCid } from '../../filecoin/message.ts';
import { MinerMethod } from '../../filecoin/miner-methods.ts';
import { disputeWindowedPoStParams } from '../../filecoin/miner-params.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { provenBy } from './actor/dispute-windowed-post.ts';
import { verifyProof } from './actor/verify-proof.ts';
import { findAccount } from './chain/apply-message.ts';
import type { Chain, HeadChange } from './chain/chain.ts';
import { gasFeeCap, gasLimitFor, gasPremium, gasUsed } from './chain/gas.ts';
import type { TipSet } from './chain/tipset.ts';
import type { DevnetEvent, Verdict } from './events.ts';
import { currentDeadline, type Deadline, type MinerState, type PostProof } from './state/miner-state.ts';
import type { Wallet } from './wallet.ts';

export interface DisputerComponents {
  readonly chain: Chain;
  readonly wallet: Wallet;
  readonly logger: Logger;
  readonly emit: (event: DevnetEvent) => void;
}

interface Recorded {
  readonly miner: MinerState;
  readonly index: number;
  readonly deadline: Deadline;
  readonly post: PostProof;
  readonly challenge: number;
}

/** Verifies every proof that the chain recorded, once its deadline is closed, and disputes a bad one with a message of its own. */
export class Disputer {
  readonly #components: DisputerComponents;
  readonly #sender: Address;
  readonly #judged = new Set<string>();
  #verified = 0;
  #disputed = 0;
  #missed = 0;
  #pending = 0;
  #work: Promise<void> = Promise.resolve();

  /** @param sender an account of the wallet */
  constructor(components: DisputerComponents, sender: Address) {
    this.#components = components;
    this.#sender = sender;
    components.chain.onChange((changes) => this.#look(changes));
  }

  get isBusy(): boolean {
    return this.#pending > 0;
  }

  verdict(): Verdict {
    const unverified = this.#pending + this.#openProofs().length;
    return {
      ok: this.#disputed === 0,
      verified: this.#verified,
      disputed: this.#disputed,
      missed: this.#missed,
      unverified,
    };
  }

  /** Verifies what is recorded in deadlines still open as well; resolves when everything is judged. */
  async finish(): Promise<void> {
    for (const recorded of this.#openProofs()) this.#queue(recorded);
    await this.#work;
  }

  #look(changes: readonly HeadChange[]): void {
    for (const { type, tipSet } of changes) {
      if (type === 'revert') continue;
      this.#reportVerified(tipSet);
      for (const { miner, deadline, partition } of tipSet.missed) {
        this.#missed++;
        this.#components.emit({ event: 'missed', miner, deadline, partition: [partition], epoch: tipSet.height });
      }
      for (const recorded of closedProofs(tipSet)) this.#queue(recorded);
    }
  }

  /** Proofs with recovering sectors were verified by their message. */
  #reportVerified(tipSet: TipSet): void {
    for (const [index, { verified }] of tipSet.receipts.entries()) {
      const message = tipSet.messages[index];
      if (verified === undefined || message === undefined || !this.#isNew(message.cid)) continue;
      this.#verified++;
      this.#components.emit({
        event: 'verified',
        miner: Number(actorId(message.signed.message.to)),
        deadline: verified.deadline,
        partition: verified.partitions,
        sectors: verified.sectors,
        message: message.cid,
      });
    }
  }

  #openProofs(): Recorded[] {
    const { head } = this.#components.chain;
    return [...head.next.miners.values()].flatMap((miner) => {
      const { index, challenge } = currentDeadline(miner, head.height);
      const deadline = miner.deadlines[index];
      // As the deadline's close will leave it.
      const closing = deadline && {
        ...deadline,
        snapshot: { partitions: deadline.partitions, proofs: deadline.proofs },
      };
      return (closing?.proofs ?? []).flatMap((post) =>
        closing === undefined || this.#judged.has(post.message)
          ? []
          : [{ miner, index, deadline: closing, post, challenge }],
      );
    });
  }

  #queue(recorded: Recorded): void {
    if (!this.#isNew(recorded.post.message)) return;
    this.#pending++;
    this.#work = this.#work
      .then(() => this.#judge(recorded))
      .catch((error: unknown) => {
        // No verdict is no acceptance: the run must not end well.
        this.#disputed++;
        this.#components.logger.error({ err: error }, 'disputer: a proof could not be verified');
        this.#report('disputed', recorded, errorText(error));
      })
      .finally(() => {
        this.#pending--;
      });
  }

  async #judge(recorded: Recorded): Promise<void> {
    const { chain } = this.#components;
    const { miner, deadline, post, challenge } = recorded;
    const components = { verifier: chain.verifier, randomness: chain.randomness(chain.head) };
    const { valid, reason } = await verifyProof(components, miner, challenge, provenBy(deadline, post), post.proof);
    if (valid) {
      this.#verified++;
      this.#report('verified', recorded);
      return;
    }
    this.#disputed++;
    this.#report('disputed', recorded, reason ?? 'the proof does not hold');
    this.#dispute(recorded);
  }

  #dispute({ miner, index, deadline, post }: Recorded): void {
    const { chain, wallet } = this.#components;
    const sender = findAccount(chain.head.applied, this.#sender);
    if (sender === undefined) return;
    const premium = gasPremium();
    const message: Message = {
      version: 0,
      to: idAddress(miner.id),
      from: this.#sender,
      nonce: chain.pool.nextNonce(sender),
      value: 0n,
      gasLimit: 0,
      gasFeeCap: gasFeeCap(premium, 20),
      gasPremium: premium,
      method: MinerMethod.DisputeWindowedPoSt,
      params: encodeCbor(disputeWindowedPoStParams, {
        deadline: index,
        poStIndex: deadline.snapshot.proofs.indexOf(post),
      }),
    };
    const gasLimit = gasLimitFor(gasUsed(message, { failed: false, verified: false }));
    const signed = wallet.signMessage(this.#sender, { ...message, gasLimit });
    chain.push({ cid: signedMessageCid(signed).toString(), signed });
  }

  #report(event: 'verified' | 'disputed', { miner, index, deadline, post }: Recorded, reason?: string): void {
    const sectors = provenBy(deadline, post).count;
    const told = { miner: miner.id, deadline: index, partition: [...post.partitions], sectors, message: post.message };
    this.#components.emit({ event, ...told, ...(reason !== undefined && { reason }) });
  }

  #isNew(message: string): boolean {
    if (this.#judged.has(message)) return false;
    this.#judged.add(message);
    return true;
  }
}

/** The proofs of deadlines that closed with this tipset's epoch, or with empty ones before it. */
function closedProofs(tipSet: TipSet): Recorded[] {
  return [...tipSet.next.miners.values()].flatMap((miner) =>
    miner.deadlines.flatMap((deadline, index) => {
      if (deadline === tipSet.state.miners.get(miner.id)?.deadlines[index]) return [];
      const { policy, periodStart, index: current } = currentDeadline(miner, tipSet.height);
      const start = index <= current ? periodStart : periodStart - policy.provingPeriod;
      const challenge = start + index * policy.challengeWindow - policy.challengeLookback;
      return deadline.snapshot.proofs.map((post) => ({ miner, index, deadline, post, challenge }));
    }),
  );
}
