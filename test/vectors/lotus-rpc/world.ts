import { systemClock } from '../../../src/clock/system-clock.ts';
import { idAddress, parseAddress, formatAddress as text } from '../../../src/filecoin/address.ts';
import { Bitfield } from '../../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../../src/filecoin/cbor.ts';
import { type Message, signedMessageCid } from '../../../src/filecoin/message.ts';
import { MinerMethod } from '../../../src/filecoin/miner-methods.ts';
import {
  declareFaultsParams,
  declareFaultsRecoveredParams,
  submitWindowedPoStParams,
} from '../../../src/filecoin/miner-params.ts';
import { RandomnessTag } from '../../../src/filecoin/randomness.ts';
import { type Devnet, startDevnet } from '../../../src/programs/devnet/devnet.ts';
import type { GenesisSector } from '../../../src/programs/devnet/state/genesis-miner.ts';
import type { MinerState } from '../../../src/programs/devnet/state/miner-state.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';

export const MINER = 1001;
/** The recorded network's other miner, which made its blocks. */
const OTHER_MINER = 1000;
const SECTORS = 10;

export interface WorldInit {
  /** The chain begins after this epoch. */
  readonly start: number;
  readonly sectors?: readonly GenesisSector[];
  /** What the verifier says of every proof. */
  readonly verdict?: { readonly valid: boolean; readonly reason: string | null };
}

/** A development chain that is led to the state in which an exchange was recorded. */
export class World {
  readonly devnet: Devnet;

  private constructor(devnet: Devnet) {
    this.devnet = devnet;
  }

  static async open(init: WorldInit): Promise<World> {
    const { verdict = { valid: true, reason: null } } = init;
    const logger = createLogger('vectors', { LOG_LEVEL: 'silent' });
    const verifier = { verify: () => Promise.resolve(verdict) };
    const components = { clock: systemClock, logger, verifier, emit: () => undefined };
    const devnet = await startDevnet(components, {
      seed: 'vectors',
      sectorSize: 2048,
      miners: new Map([
        [OTHER_MINER, defaultSectors()],
        [MINER, init.sectors ?? defaultSectors()],
      ]),
      partitionsPerDeadline: 1,
      startEpoch: init.start,
      listen: { host: '127.0.0.1', port: 0 },
      blockTimeMs: 0,
    });
    return new World(devnet);
  }

  get node() {
    return this.devnet.node;
  }

  /** The recorded miner as the head leaves it. */
  get miner(): MinerState {
    const miner = this.node.chain.head.next.miners.get(MINER);
    if (miner === undefined) throw new TypeError('the world has lost its miner');
    return miner;
  }

  get worker(): string {
    return this.devnet.workers.get(MINER) ?? '';
  }

  get owner(): string {
    const owner = this.node.wallet
      .addresses()
      .map((known) => text(known))
      .filter((address) => address.startsWith('t3'))
      .at(-1);
    return owner ?? '';
  }

  get stranger(): string {
    return text(this.node.wallet.defaultAddress);
  }

  /** Actor id of an account, as an address. */
  idOf(address: string): string {
    const accounts = [...this.node.chain.head.next.accounts.values()];
    const account = accounts.find(({ key }) => text(key) === address);
    return account === undefined ? address : `t0${account.id}`;
  }

  async mineTo(height: number): Promise<void> {
    while (this.node.chain.head.height < height) await this.node.chain.mine();
  }

  /** Signs and pushes; returns the message's CID. */
  push(message: Partial<Message> & { readonly from?: Message['from'] }): string {
    const { chain, wallet } = this.node;
    const from = message.from ?? parseAddress(this.worker);
    const account = [...chain.head.applied.accounts.values()].find(({ key }) => text(key) === text(from));
    const nonce = account === undefined ? 0 : chain.pool.nextNonce(account);
    const complete: Message = {
      version: 0,
      to: idAddress(MINER),
      from,
      nonce,
      value: 0n,
      gasLimit: 300_000_000,
      gasFeeCap: 101_000n,
      gasPremium: 100_000n,
      method: 0,
      params: new Uint8Array(),
      ...message,
    };
    const signed = wallet.signMessage(from, complete);
    const cid = signedMessageCid(signed).toString();
    chain.push({ cid, signed });
    return cid;
  }

  /** A submission for the deadline that is open in the next epoch. */
  submit(deadline: number, partitions: readonly number[] = [0]): string {
    const { chain } = this.node;
    const { height } = chain.head;
    const params = encodeCbor(submitWindowedPoStParams, {
      deadline,
      partitions: partitions.map((index) => ({ index, skipped: Bitfield.empty })),
      proofs: [{ poStProof: 10, proofBytes: new Uint8Array(192).fill(7) }],
      chainCommitEpoch: height,
      chainCommitRand: this.commitRandomness(height),
    });
    return this.push({ method: MinerMethod.SubmitWindowedPoSt, params });
  }

  commitRandomness(epoch: number): Uint8Array {
    const { chain } = this.node;
    return chain
      .randomness(chain.head)
      .ticket(RandomnessTag.PoStChainCommit, Math.min(epoch, chain.head.height), new Uint8Array());
  }

  /** Declares sectors of partition 0 of a deadline faulty, or recovered. */
  declare(kind: 'faults' | 'recovered', deadline: number, partition: number, sectors: Bitfield): string {
    const list = [{ deadline, partition, sectors }];
    return kind === 'faults'
      ? this.push({ method: MinerMethod.DeclareFaults, params: encodeCbor(declareFaultsParams, { faults: list }) })
      : this.push({
          method: MinerMethod.DeclareFaultsRecovered,
          params: encodeCbor(declareFaultsRecoveredParams, { recoveries: list }),
        });
  }

  close(): Promise<void> {
    return this.devnet.close();
  }
}

function defaultSectors(): GenesisSector[] {
  return Array.from({ length: SECTORS }, (_, number) => ({ number, commR: new Uint8Array(32).fill(number + 1) }));
}
