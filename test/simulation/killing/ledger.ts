import { decodeCbor } from '../../../src/filecoin/cbor.ts';
import { decodeSignedMessage, type SignedMessage, signedMessageCid } from '../../../src/filecoin/message.ts';
import { submitWindowedPoStParams } from '../../../src/filecoin/miner-params.ts';

/** The deadline that is proven, of the proving period that starts at 0. */
export const DEADLINE = { index: 1, challenge: 40, open: 60, close: 120 } as const;
export const PARTITIONS = 3;
export const CONFIDENCE = 3;
/** The last one is recovering, so it has a message of its own. */
export const RECOVERING = 2;
export const SECTORS_EACH = 2;

/** One line of the file that outlives every process: the chain's heads, what was pushed to the node, and the master's tasks. */
export type Entry =
  | { readonly head: number }
  /** CBOR in hexadecimal. */
  | { readonly push: string }
  | { readonly task: string; readonly proof: string };

interface Landed {
  readonly signed: SignedMessage;
  readonly cid: string;
  /** Of the block that holds it. */
  readonly height: number;
  readonly exitCode: number;
}

/** What the entries make: a chain without reorganisations, whose blocks take whatever waits. */
export class Ledger {
  height: number = DEADLINE.challenge;
  readonly landed: Landed[] = [];
  readonly pool = new Map<number, SignedMessage>();
  /** All that was ever pushed, repetitions too. */
  readonly pushes: SignedMessage[] = [];
  readonly tasks = new Map<string, Buffer>();
  readonly posted = new Set<number>();

  apply(entry: Entry): void {
    if ('head' in entry) this.#mine(entry.head);
    else if ('task' in entry) this.tasks.set(entry.task, Buffer.from(entry.proof, 'base64'));
    else {
      const signed = decodeSignedMessage(Uint8Array.from(Buffer.from(entry.push, 'hex')));
      this.pushes.push(signed);
      this.pool.set(signed.message.nonce, signed);
    }
  }

  #mine(height: number): void {
    this.height = height;
    for (;;) {
      const nonce = this.landed.length;
      const signed = this.pool.get(nonce);
      if (signed === undefined) return;
      this.pool.delete(nonce);
      this.landed.push({
        signed,
        cid: signedMessageCid(signed).toString(),
        height,
        exitCode: this.#execute(signed, height),
      });
    }
  }

  #execute(signed: SignedMessage, height: number): number {
    const partitions = postedBy(signed);
    if (partitions.length === 0) return 0;
    if (height < DEADLINE.open || height >= DEADLINE.close || partitions.some((index) => this.posted.has(index)))
      return 16;
    for (const index of partitions) this.posted.add(index);
    return 0;
  }
}

/** The partitions that a message proves; none where it does something else. */
export function postedBy({ message }: SignedMessage): number[] {
  if (message.params.length === 0) return [];
  return decodeCbor(submitWindowedPoStParams, message.params).partitions.map(({ index }) => index);
}
