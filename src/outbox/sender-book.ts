import type { TipSet } from '../chain/tipset.ts';
import { type Address, formatAddress, sameAddress } from '../filecoin/address.ts';
import type { SendingComponents } from './components.ts';
import { feesSince } from './message-store.ts';
import { senderTrouble } from './sender-trouble.ts';
import type { SendingMiner } from './settings.ts';

/** Epochs between two looks at the senders: ten minutes. */
const LOOK_EPOCHS = 20;
const DAY_MS = 24 * 60 * 60 * 1000;
/** What a sender should have while nothing is known of a day's fees: 0.1 FIL. */
export const LEAST_FUNDS = 10n ** 17n;

interface Judgement {
  readonly sender: Address;
  readonly isAllowed: boolean;
  /** attoFIL, with what it needs for a day. */
  readonly balance: bigint;
  readonly needed: bigint;
}

/** Which of its senders each miner uses: the first that may post for it and has funds for a day, else the richest of those. */
export class SenderBook {
  readonly #components: SendingComponents;
  readonly #miners: ReadonlyMap<number, SendingMiner>;
  readonly #judgements = new Map<number, readonly Judgement[]>();
  /** Of each miner that was looked at: the first look. */
  readonly #firstLooks = new Map<number, Promise<void>>();
  readonly #looked = new Set<number>();
  #lookedAt: number | undefined;

  constructor(components: SendingComponents, init: { readonly miners: readonly SendingMiner[] }) {
    this.#components = components;
    this.#miners = new Map(init.miners.map((miner) => [miner.minerId, miner]));
  }

  /** Whether a choice is not made before it could be more than a guess. */
  hasLooked(minerId: number): boolean {
    return !this.#miners.has(minerId) || this.#looked.has(minerId);
  }

  /** Resolves when this miner's senders were looked at once, or could not be. */
  async firstLook(minerId: number): Promise<void> {
    await this.#firstLooks.get(minerId);
  }

  /**
   * The sender for a message of this miner. Messages name the first of its senders unless somebody chose another by hand: that one
   * pays. So does the named one where the miner is not one of ours or nothing is known yet.
   */
  choose(minerId: number, named: Address): Address {
    const [usual] = this.#miners.get(minerId)?.senders ?? [];
    if (usual === undefined || !sameAddress(usual, named)) return named;
    const allowed = (this.#judgements.get(minerId) ?? []).filter((judgement) => judgement.isAllowed);
    const funded = allowed.find(({ balance, needed }) => balance >= needed);
    if (funded !== undefined) return funded.sender;
    return allowed.toSorted((left, right) => (left.balance < right.balance ? 1 : -1))[0]?.sender ?? named;
  }

  /** This sender could not pay for a message: until the next look the others come first. */
  isShort(minerId: number, sender: Address): void {
    const judgements = this.#judgements.get(minerId) ?? [];
    this.#judgements.set(
      minerId,
      judgements.map((one) => (sameAddress(one.sender, sender) ? { ...one, balance: 0n } : one)),
    );
  }

  /** Looks at all senders again when it is time. What cannot be read now stays as it was. */
  async look(head: TipSet): Promise<void> {
    if (this.#lookedAt !== undefined && Math.abs(head.height - this.#lookedAt) < LOOK_EPOCHS) return;
    this.#lookedAt = head.height;
    await Promise.all(
      [...this.#miners.values()].map(async (miner) => {
        const look = this.#lookAt(miner, head);
        if (!this.#firstLooks.has(miner.minerId)) this.#firstLooks.set(miner.minerId, look);
        await look;
      }),
    );
  }

  async #lookAt(miner: SendingMiner, head: TipSet): Promise<void> {
    try {
      const judged = miner.senders.map((sender) => this.#judge(miner, sender, head));
      this.#judgements.set(miner.minerId, await Promise.all(judged));
    } catch (err) {
      this.#lookedAt = undefined;
      this.#components.logger.warn({ err, minerId: miner.minerId }, 'the senders could not be checked');
    }
    this.#looked.add(miner.minerId);
  }

  async #judge(miner: SendingMiner, sender: Address, head: TipSet): Promise<Judgement> {
    const { chain, db, clock, alerts, logger } = this.#components;
    const { minerId, address, sealingSenders } = miner;
    const text = formatAddress(sender);
    const trouble = await senderTrouble(this.#components, { sender, address }, head);
    const refused = `sender-refused/${minerId}/${text}`;
    if (trouble !== undefined) {
      logger.error({ minerId }, trouble);
      alerts.raise(refused, { class: 'sender-refused', severity: 'critical', minerId, text: trouble });
      return { sender, isAllowed: false, balance: 0n, needed: 0n };
    }
    alerts.resolve(refused);
    this.#warnIfShared(miner, sender, sealingSenders);

    const signer = formatAddress(await chain.accountKey(sender, head.key));
    const balance = await chain.actorBalance(sender, head.key);
    const spent = await feesSince(db, signer, clock.now() - DAY_MS);
    const needed = spent > LEAST_FUNDS ? spent : LEAST_FUNDS;
    const short = `sender-balance/${signer}`;
    if (balance >= needed) alerts.resolve(short);
    else {
      alerts.raise(short, {
        class: 'sender-balance',
        severity: balance * 4n < needed ? 'critical' : 'warning',
        minerId,
        text: `${text} has ${fil(balance)} FIL and needs about ${fil(needed)} FIL for a day of messages: send it funds`,
      });
    }
    return { sender, isAllowed: true, balance, needed };
  }

  #warnIfShared({ minerId }: SendingMiner, sender: Address, sealingSenders: readonly Address[]): void {
    const { alerts } = this.#components;
    const text = formatAddress(sender);
    const condition = `sender-shared/${minerId}/${text}`;
    if (!sealingSenders.some((other) => sameAddress(other, sender))) {
      alerts.resolve(condition);
      return;
    }
    alerts.raise(condition, {
      class: 'sender-shared',
      severity: 'warning',
      minerId,
      text:
        `${text} sends window PoSts and sealing messages of miner ${minerId}: a sealing message that does not land holds up proofs; ` +
        'give [Miners.PoSt] a control address of its own',
    });
  }
}

/** With four digits after the point, rounded down. */
function fil(attoFil: bigint): string {
  const scaled = attoFil / 10n ** 14n;
  return `${scaled / 10_000n}.${String(scaled % 10_000n).padStart(4, '0')}`;
}
