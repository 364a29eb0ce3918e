import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { Verifier } from '../../src/ext-processor/verifier.ts';
import { idAddress, parseAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { type Message, signedMessageCid } from '../../src/filecoin/message.ts';
import { MinerMethod } from '../../src/filecoin/miner-methods.ts';
import {
  declareFaultsParams,
  declareFaultsRecoveredParams,
  submitWindowedPoStParams,
} from '../../src/filecoin/miner-params.ts';
import { RandomnessTag } from '../../src/filecoin/randomness.ts';
import type { Receipt } from '../../src/programs/devnet/chain/apply-message.ts';
import { searchMessage } from '../../src/programs/devnet/chain/search.ts';
import { type Devnet, type DevnetInit, startDevnet } from '../../src/programs/devnet/devnet.ts';
import type { DevnetEvent } from '../../src/programs/devnet/events.ts';
import type { GenesisSector } from '../../src/programs/devnet/state/genesis-miner.ts';
import type { Partition } from '../../src/programs/devnet/state/miner-state.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

export const MINER = 1001;

/** Deadline 0 of t01001 opens here for the first time. */
export const OPEN = 154;

/** Proofs whose first byte is 1 hold. */
const firstByteVerifier: Pick<Verifier, 'verify'> = {
  verify: ({ proof }) => {
    const valid = proof[0] === 1;
    return Promise.resolve({ valid, reason: valid ? null : 'not on curve' });
  },
};

export const goodProof = new Uint8Array(192).fill(1);
export const badProof = new Uint8Array(192);

export function numberedSectors(count: number): GenesisSector[] {
  return Array.from({ length: count }, (_, number) => ({ number, commR: new Uint8Array(32).fill(number + 1) }));
}

/** A development chain in this process that makes tipsets only when told to. */
export class ChainUnderTest {
  readonly events = new EventQueue<DevnetEvent>();
  #devnet: Devnet | undefined;

  /** Ten sectors in deadlines 0 to 4, at the given epoch. */
  static async start(
    at: number,
    init: Partial<DevnetInit> & { readonly verifier?: Pick<Verifier, 'verify'> } = {},
  ): Promise<ChainUnderTest> {
    const test = new ChainUnderTest();
    const { verifier = firstByteVerifier, ...rest } = init;
    const emit = (event: DevnetEvent): void => test.events.push(event);
    test.#devnet = await startDevnet(
      { clock: systemClock, logger: silentLogger, verifier, emit },
      {
        seed: 'test',
        sectorSize: 2048,
        miners: new Map([[MINER, numberedSectors(10)]]),
        partitionsPerDeadline: 1,
        startEpoch: Math.max(0, at - 1),
        listen: { host: '127.0.0.1', port: 0 },
        blockTimeMs: 0,
        ...rest,
      },
    );
    onTestFinished(() => test.devnet.close());
    await test.mineTo(at);
    return test;
  }

  get devnet(): Devnet {
    if (this.#devnet === undefined) throw new TypeError('not started');
    return this.#devnet;
  }

  get chain() {
    return this.devnet.node.chain;
  }

  get worker(): string {
    return this.devnet.workers.get(MINER) ?? '';
  }

  async mineTo(height: number): Promise<void> {
    while (this.chain.head.height < height) await this.chain.mine();
  }

  /** What queries at the head answer from after the next tipset. */
  partition(deadline: number, number = 0): Partition {
    const partition = this.chain.head.next.miners.get(MINER)?.deadlines[deadline]?.partitions[number];
    if (partition === undefined) throw new TypeError(`no partition ${number} in deadline ${deadline}`);
    return partition;
  }

  push(message: Partial<Message>): string {
    const { wallet } = this.devnet.node;
    const from = message.from ?? parseAddress(this.worker);
    const signed = wallet.signMessage(from, this.message({ from, ...message }));
    const cid = signedMessageCid(signed).toString();
    this.chain.push({ cid, signed });
    return cid;
  }

  message(parts: Partial<Message> & { readonly from: Message['from'] }): Message {
    const sender = [...this.chain.head.applied.accounts.values()].find(
      ({ key }) => Buffer.compare(key.payload, parts.from.payload) === 0,
    );
    return {
      version: 0,
      to: idAddress(MINER),
      nonce: sender === undefined ? 0 : this.chain.pool.nextNonce(sender),
      value: 0n,
      gasLimit: 300_000_000,
      gasFeeCap: 101_000n,
      gasPremium: 100_000n,
      method: 0,
      params: new Uint8Array(),
      ...parts,
    };
  }

  submit(
    deadline: number,
    post: { partitions?: readonly number[]; skipped?: readonly number[]; proof?: Uint8Array } = {},
  ): string {
    const { partitions = [0], skipped = [], proof = goodProof } = post;
    const { height } = this.chain.head;
    const chainCommitRand = this.chain
      .randomness(this.chain.head)
      .ticket(RandomnessTag.PoStChainCommit, height, new Uint8Array());
    const params = encodeCbor(submitWindowedPoStParams, {
      deadline,
      partitions: partitions.map((index) => ({ index, skipped: Bitfield.of(skipped) })),
      proofs: [{ poStProof: 10, proofBytes: proof }],
      chainCommitEpoch: height,
      chainCommitRand,
    });
    return this.push({ method: MinerMethod.SubmitWindowedPoSt, params });
  }

  declare(kind: 'faults' | 'recovered', deadline: number, sectors: readonly number[]): string {
    const list = [{ deadline, partition: 0, sectors: Bitfield.of(sectors) }];
    return kind === 'faults'
      ? this.push({ method: MinerMethod.DeclareFaults, params: encodeCbor(declareFaultsParams, { faults: list }) })
      : this.push({
          method: MinerMethod.DeclareFaultsRecovered,
          params: encodeCbor(declareFaultsRecoveredParams, { recoveries: list }),
        });
  }

  /** Mines until the message's effect shows; gives its receipt. */
  async land(cid: string): Promise<Receipt> {
    await this.chain.mine();
    await this.chain.mine();
    return this.receipt(cid);
  }

  receipt(cid: string): Receipt {
    const found = searchMessage(this.chain, this.chain.head, cid, -1, false);
    if (found === undefined) throw new TypeError('the message did not land');
    return found.receipt;
  }
}
