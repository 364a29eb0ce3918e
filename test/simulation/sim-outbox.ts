import { CID } from 'multiformats/cid';
import { idAddress } from '../../src/filecoin/address.ts';
import type { Message } from '../../src/filecoin/message.ts';
import { isWorthless, type MessageFacts, nextStep } from '../../src/outbox/next-step.ts';
import { type IntendedMessage, isSigned, type SignedOutboxMessage } from '../../src/outbox/outbox-message.ts';
import { withHigherFees } from '../../src/outbox/replacement.ts';
import { isWithdrawal } from '../../src/outbox/withdrawal.ts';
import type { MessageFact } from '../../src/poster/facts.ts';
import type { Payload } from './miner-state.ts';
import type { Plan } from './plan.ts';
import { BASE_FEE, type SimChain } from './sim-chain.ts';
import { NodeAway, type SimNode } from './sim-node.ts';
import type { SimParts } from './sim-parts.ts';

const CID_TEXT = 'bafy2bzaceb55jfbbtdyp7u7rsunl2wigwc6e4pkwheiufqctgqsd7jh336p22';
const cid = CID.parse(CID_TEXT);
const MINER = idAddress(1001);
const SENDER = idAddress(101);
const GAS = 30_000_000n;
/** Enough for the fee in a spike after replacements, not for any. */
export const MAX_FEE = BASE_FEE * GAS * 300n;

type OurMessage = IntendedMessage | SignedOutboxMessage;

/** A row of the outbox: durable. */
interface Row {
  readonly payload: Exclude<Payload, { kind: 'nothing' }>;
  message: OurMessage;
  version: number;
  end: { readonly state: 'landed' | 'failed'; readonly reason: string } | undefined;
}

export interface Push {
  readonly epoch: number;
  readonly intent: string;
  readonly message: Message;
  readonly payload: Payload;
}

interface Components {
  readonly plan: Plan;
  readonly node: SimNode;
  readonly chain: SimChain;
  readonly tell: SimParts['tell'];
  readonly onPush: (push: Push, earlier: readonly Push[]) => void;
}

/** The outbox's shell without its database: rows live in a map, every step is the real `nextStep`. */
export class SimOutbox {
  readonly pushes: Push[] = [];
  readonly #plan: Plan;
  readonly #node: SimNode;
  readonly #chain: SimChain;
  readonly #rows = new Map<string, Row>();
  readonly #open = new Set<string>();
  readonly #tell: SimParts['tell'];
  readonly #onPush: Components['onPush'];
  #nextNonce = 0;

  constructor({ plan, node, chain, tell, onPush }: Components) {
    this.#tell = tell;
    this.#onPush = onPush;
    this.#plan = plan;
    this.#node = node;
    this.#chain = chain;
  }

  add(payload: Exclude<Payload, { kind: 'nothing' }>): string {
    const id = `${this.#rows.size}`;
    const message: IntendedMessage = {
      id,
      state: 'intended',
      purpose: payload.kind === 'post' ? 'submit' : 'recover',
      minerId: 1001,
      sender: SENDER,
      recipient: MINER,
      method: 5,
      params: new Uint8Array(),
      maxFee: MAX_FEE,
      expiresEpoch: payload.kind === 'post' ? payload.close : payload.cutoff,
      confidence: this.#plan.messageConfidence,
    };
    this.#rows.set(id, { payload, message, version: 0, end: undefined });
    this.#open.add(id);
    return id;
  }

  /** As `withdrawMessage`. */
  withdraw(id: string): void {
    const row = this.#rows.get(id);
    if (row !== undefined && row.end === undefined) row.message = { ...row.message, expiresEpoch: 0 };
  }

  /** As `reopenMessage`. */
  reopen(id: string): boolean {
    const row = this.#rows.get(id);
    if (row?.end?.state === 'landed' && isSigned(row.message)) {
      row.end = undefined;
      row.message = { ...row.message, state: 'pushed' };
      this.#open.add(id);
    }
    return row !== undefined && row.end === undefined;
  }

  fact(id: string): MessageFact {
    return this.#rows.get(id)?.end ?? { state: 'pending' };
  }

  /** True when something ended. */
  advance(height: number): boolean {
    let isFirst = true;
    let ended = false;
    for (const id of this.#inOrder()) {
      const row = this.#rows.get(id);
      if (row === undefined) continue;
      try {
        if (row.message.state === 'intended') this.#sign(row, height);
        if (isSigned(row.message)) this.#deliver(row, row.message, isFirst, height);
      } catch (error) {
        if (error instanceof NodeAway) return ended;
        throw error;
      }
      if (row.end !== undefined) ended = true;
      else if (isSigned(row.message) && row.message.nonce >= this.#chain.top.nonce) isFirst = false;
    }
    return ended;
  }

  #inOrder(): string[] {
    const nonce = (id: string) => {
      const message = this.#rows.get(id)?.message;
      return message === undefined || !isSigned(message) ? Number.POSITIVE_INFINITY : message.nonce;
    };
    return [...this.#open].sort((a, b) => (nonce(a) === nonce(b) ? Number(a) - Number(b) : nonce(a) - nonce(b)));
  }

  #end(row: Row, state: 'landed' | 'failed', reason: string): void {
    row.end = { state, reason };
    this.#tell(() => `message ${row.message.id} ${state} ${reason}`);
    this.#open.delete(row.message.id);
  }

  #sign(row: Row, height: number): void {
    if (row.message.state !== 'intended') return;
    if (isWorthless(row.message, height)) {
      this.#end(row, 'failed', 'not sent before it expired');
      return;
    }
    this.#node.ask('estimate');
    const { payload } = row;
    if (payload.kind === 'post') {
      const refusal = this.#refusal(payload, height);
      if (refusal !== undefined) {
        this.#end(row, 'failed', refusal);
        return;
      }
    }
    this.#node.ask('nonce');
    this.#node.ask('sign');
    const nonce = this.#nextNonce;
    const highest = MAX_FEE / GAS;
    const wanted = this.#chain.baseFee(this.#node.epoch) * 2n;
    const gasFeeCap = wanted < highest ? wanted : highest;
    if (gasFeeCap < this.#chain.baseFee(this.#node.epoch)) return;
    const message: Message = {
      version: 0,
      to: MINER,
      from: SENDER,
      nonce,
      value: 0n,
      gasLimit: Number(GAS),
      gasFeeCap,
      gasPremium: gasFeeCap < 20n ? gasFeeCap : 20n,
      method: 5,
      params: row.message.params,
    };
    this.#node.mayDie();
    this.#nextNonce = nonce + 1;
    row.message = {
      ...row.message,
      state: 'signed',
      signer: 't1zryr3khsnwgjmhb54iavga7fi6p7kek2kpwo44y',
      nonce,
      signed: { message, signature: { type: 'bls', data: new Uint8Array(96) } },
      cid: CID_TEXT,
      signedHeight: height,
    };
    this.#node.mayDie();
  }

  /** What the node's estimate says against it. */
  #refusal(payload: Extract<Payload, { kind: 'post' }>, height: number): string | undefined {
    if (payload.partitions.length > 1 && this.#plan.weather.blows('gas-limit', this.#node.epoch))
      return 'gas-limit: the message needs more gas than a block has';
    if (height + 1 < payload.open) return 'message execution failed: the deadline is not open (RetCode=16)';
    if (payload.commitment !== this.#chain.randomness(payload.challenge))
      return 'message execution failed: the chain commitment is of another chain (RetCode=16)';
    const { posted } = this.#chain.top.state;
    if (payload.partitions.some(({ partition }) => posted[partition] === payload.open))
      return 'message execution failed: partition already proven (RetCode=16)';
    return undefined;
  }

  #deliver(row: Row, start: SignedOutboxMessage, isFirst: boolean, height: number): void {
    let message = start;
    const baseFee = this.#chain.baseFee(this.#node.epoch);
    let facts: MessageFacts = { height, waitsForFees: isFirst || message.signed.message.gasFeeCap < baseFee };
    for (;;) {
      const step = nextStep(message, facts);
      switch (step.do) {
        case 'wait':
          return;
        case 'finish':
          this.#end(row, step.as.state === 'landed' ? 'landed' : 'failed', step.as.error ?? '');
          return;
        case 'push':
          facts = { ...facts, push: this.#push(row, message.signed.message) };
          if (facts.push === 'accepted') message = { ...message, state: 'pushed' };
          row.message = message;
          this.#node.mayDie();
          break;
        case 'look-up':
          facts = { ...facts, lookup: this.#lookUp(message.nonce) };
          break;
        case 'check-nonce':
          this.#node.ask('nonce');
          facts = { ...facts, nonceTaken: this.#chain.at(height - message.confidence).nonce > message.nonce };
          break;
        case 'replace': {
          this.#node.ask('sign');
          message = {
            ...message,
            state: 'signed',
            signed: { ...message.signed, message: this.#raisedToEstimate(message, step.message) },
            signedHeight: height,
          };
          row.message = message;
          row.version++;
          const { push: _, ...rest } = facts;
          facts = rest;
          break;
        }
      }
    }
  }

  #raisedToEstimate(message: SignedOutboxMessage, successor: Message): Message {
    this.#node.ask('estimate');
    const { gasFeeCap, gasPremium } = message.signed.message;
    const estimate = { gasFeeCap: this.#chain.baseFee(this.#node.epoch) * 2n, gasPremium: 20n };
    return withHigherFees({ ...successor, gasFeeCap, gasPremium }, message.maxFee, estimate) ?? successor;
  }

  #push(row: Row, message: Message): 'accepted' | 'refused' | 'nonce-too-low' {
    const { version } = row;
    const payload: Payload = isWithdrawal(message) ? { kind: 'nothing' } : row.payload;
    const { pool, top } = this.#chain;
    this.#node.ask('push');
    if (message.nonce < top.nonce) return 'nonce-too-low';
    const pooled = pool.get(message.nonce)?.message;
    const isNew = pooled !== undefined && pooled !== message;
    if (isNew && message.gasPremium < (pooled.gasPremium * 110n) / 100n + 1n) return 'refused';
    const push = { epoch: this.#node.epoch, intent: row.message.id, message, payload };
    if (pooled !== message) this.#onPush(push, this.pushes);
    this.pushes.push(push);
    this.#tell(
      () =>
        `message ${row.message.id} pushed, nonce ${message.nonce}, cap ${message.gasFeeCap}, ${JSON.stringify(payload)}`,
    );
    pool.put({ intent: row.message.id, version, payload, message });
    this.#node.mayDie();
    return 'accepted';
  }

  #lookUp(nonce: number) {
    this.#node.ask('search');
    const found = this.#chain.find(nonce);
    if (found === undefined) return null;
    return {
      cid,
      exitCode: found.exitCode,
      return: new Uint8Array(),
      gasUsed: 1,
      height: found.height,
      tipSet: [],
      isWithdrawal: found.message.payload.kind === 'nothing',
    };
  }
}
