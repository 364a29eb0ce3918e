import type { TipSet } from '../../src/chain/tipset.ts';
import { type Address, formatAddress, parseAddress, sameAddress } from '../../src/filecoin/address.ts';
import { blockCid } from '../../src/filecoin/cid.ts';
import { type Message, type SignedMessage, signedMessageCid, signingDigest } from '../../src/filecoin/message.ts';
import {
  type LotusMessage,
  type LotusSignedMessage,
  messageFromJson,
  messageToJson,
  signedMessageFromJson,
  signedMessageToJson,
} from '../../src/filecoin/message-json.ts';
import { addressOfKey, recoverSigner, signDigest } from '../../src/filecoin/secp256k1.ts';
import { type LotusStandIn, NodeError, startLotusStandIn } from '../chain/lotus-stand-in.ts';

type Key = readonly { readonly '/': string }[];

interface Block {
  readonly tipSet: TipSet;
  readonly messages: readonly SignedMessage[];
}

/** The pool and the chain of a scripted node: nonces, replacement by fee, landing and reorganisation as Lotus has them. */
export class PoolStandIn {
  readonly node: LotusStandIn;
  readonly senderId: Address;
  readonly senderKey: Address;
  /** The chain takes no message with a lower premium. */
  leastPremium = 0n;
  /** The chain commitment of every epoch. */
  commitment: Uint8Array = new Uint8Array(32);
  /** attoFIL of the sender. */
  balance = 10n ** 20n;
  /** attoFIL for each unit of gas, as head and blocks say it. */
  baseFee = 100n;
  /** By the params' text: the exit code with which a message is executed. */
  readonly exitCodes = new Map<string, number>();
  readonly #privateKey: Uint8Array;
  readonly #known = new Map<string, SignedMessage>();
  readonly #byUuid = new Map<string, SignedMessage>();
  #pool = new Map<number, SignedMessage>();
  #blocks: Block[] = [{ tipSet: tipSetAt(100, 0), messages: [] }];
  #fork = 0;

  private constructor(node: LotusStandIn, account: number) {
    this.node = node;
    this.#privateKey = Uint8Array.from({ length: 32 }, () => account);
    this.senderId = parseAddress(`t0${account}`);
    this.senderKey = addressOfKey(this.#privateKey);
    this.#answer();
  }

  static async start(account = 101): Promise<PoolStandIn> {
    return new PoolStandIn(await startLotusStandIn(), account);
  }

  get head(): TipSet {
    return this.#top.tipSet;
  }

  /** All messages of the chain, as texts of their params. */
  get landed(): string[] {
    return this.#blocks.flatMap(({ messages }) => messages.map(paramsText));
  }

  /** The next tipset, holding what the pool has in nonce order. */
  mine(): TipSet {
    const messages: SignedMessage[] = [];
    for (let nonce = this.#nonce; ; nonce++) {
      const next = this.#pool.get(nonce);
      if (next === undefined || next.message.gasPremium < this.leastPremium) break;
      messages.push(next);
      this.#pool.delete(nonce);
    }
    this.#blocks.push({ tipSet: tipSetAt(this.head.height + 1, this.#fork), messages });
    return this.head;
  }

  /** The node forgets its pool, as with a restart. */
  forgetPool(): void {
    this.#pool.clear();
  }

  /** Another node answers: it does not know which ids were pushed to the first one. */
  forgetIds(): void {
    this.#byUuid.clear();
  }

  /** A block takes a message that the pool had and that another one replaced. */
  takeEarlier(text: string): void {
    const signed = [...this.#known.values()].find((one) => paramsText(one) === text);
    if (signed === undefined) throw new Error(`no message ${text}`);
    this.#pool.delete(signed.message.nonce);
    this.#blocks.push({ tipSet: tipSetAt(this.head.height + 1, this.#fork), messages: [signed] });
  }

  /** Replaces the last tipsets by an empty one at the same height; their messages go back to the pool. */
  reorganise(depth: number): TipSet {
    this.#fork++;
    const { height } = this.head;
    for (const { messages } of this.#blocks.splice(-depth)) {
      for (const signed of messages) this.#pool.set(signed.message.nonce, signed);
    }
    this.#blocks.push({ tipSet: tipSetAt(height, this.#fork), messages: [] });
    return this.head;
  }

  /** Signs and pushes a message with the next nonce. */
  pushNext(message: Message): SignedMessage {
    const signed = this.#sign({ ...message, from: this.senderKey, nonce: this.#poolNonce });
    this.#push(signed);
    return signed;
  }

  /** What waits in the pool, as texts of the params. */
  get waiting(): string[] {
    return [...this.#pool.values()].map(paramsText);
  }

  /** Somebody uses the sender by hand. */
  pushForeign(nonce = this.#poolNonce): void {
    const to = this.senderKey;
    const message = {
      version: 0,
      to,
      from: to,
      nonce,
      value: 1n,
      gasLimit: 1,
      gasFeeCap: 9n ** 9n,
    } as const;
    this.#push(this.#sign({ ...message, gasPremium: 9n ** 9n, method: 0, params: Buffer.from('foreign') }));
  }

  get #top(): Block {
    const block = this.#blocks.at(-1);
    if (block === undefined) throw new Error('a chain has a genesis');
    return block;
  }

  get #nonce(): number {
    return this.#nonceAt(this.head.height);
  }

  get #poolNonce(): number {
    let nonce = this.#nonce;
    while (this.#pool.has(nonce)) nonce++;
    return nonce;
  }

  #nonceAt(height: number): number {
    return this.#blocks.flatMap(({ tipSet, messages }) => (tipSet.height <= height ? messages : [])).length;
  }

  #sign(message: Message): SignedMessage {
    return { message, signature: { type: 'secp256k1', data: signDigest(signingDigest(message), this.#privateKey) } };
  }

  #push(signed: SignedMessage): string {
    const { message, signature } = signed;
    const cid = signedMessageCid(signed).toString();
    if (!sameAddress(recoverSigner(signingDigest(message), signature.data), message.from))
      throw new NodeError(1, 'bad signature');
    if (message.nonce < this.#nonce) {
      throw new NodeError(1, `minimum expected nonce is ${this.#nonce}, got ${message.nonce}: message nonce too low`);
    }
    const promised = [...this.#pool.values()].filter((one) => one.message.nonce !== message.nonce).concat(signed);
    const required = promised.reduce((sum, one) => sum + one.message.gasFeeCap * BigInt(one.message.gasLimit), 0n);
    if (message.method !== 0 || message.params.length === 0) this.#checkFunds(required);
    const pooled = this.#pool.get(message.nonce);
    if (pooled !== undefined) {
      const inPool = `message from ${formatAddress(message.from)} with nonce ${message.nonce} already in mpool`;
      if (signedMessageCid(pooled).toString() === cid) throw new NodeError(1, inPool);
      const least = (pooled.message.gasPremium * 110n) / 100n + 1n;
      if (message.gasPremium < least) throw new NodeError(1, `${inPool}, increase GasPremium to ${least}`);
    }
    this.#pool.set(message.nonce, signed);
    this.#known.set(cid, signed);
    return cid;
  }

  #checkFunds(required: bigint): void {
    if (required <= this.balance) return;
    throw new NodeError(
      1,
      `not enough funds (required: ${required}, balance: ${this.balance}): not enough funds to execute transaction`,
    );
  }

  #search(from: Key, cid: string) {
    const wanted = this.#known.get(cid);
    if (wanted === undefined) throw new NodeError(1, `failed to load message: ipld: could not find ${cid}`);
    const at = this.#blocks.findIndex(({ messages }) =>
      messages.some(({ message }) => message.nonce === wanted.message.nonce),
    );
    // Executed by the tipset after the one that holds it; later tipsets than the one asked from do not count.
    const executed = this.#blocks[at + 1];
    if (at < 0 || executed === undefined || executed.tipSet.height > this.#heightOf(from)) return null;
    const found = this.#blocks[at]?.messages.find(({ message }) => message.nonce === wanted.message.nonce);
    if (found === undefined) return null;
    if (paramsText(found) !== paramsText(wanted))
      throw new NodeError(1, 'found message with equal nonce that is NOT a valid replacement');
    return {
      Message: { '/': signedMessageCid(found).toString() },
      Receipt: { ExitCode: this.exitCodes.get(paramsText(found)) ?? 0, Return: null, GasUsed: 1000, EventsRoot: null },
      ReturnDec: null,
      TipSet: toKey(executed.tipSet),
      Height: executed.tipSet.height,
    };
  }

  #heightOf(key: Key): number {
    const block = this.#blocks.find(({ tipSet }) => tipSet.key[0] === key[0]?.['/']);
    if (block === undefined) throw new NodeError(1, 'failed to load tipset');
    return block.tipSet.height;
  }

  #find(cid: string): SignedMessage {
    const found = this.#known.get(cid);
    if (found === undefined) throw new NodeError(1, `failed to load message: ipld: could not find ${cid}`);
    return found;
  }

  #answer(): void {
    const { handlers } = this.node;
    handlers.set('GasEstimateGasLimit', () => 800_000);
    handlers.set('MpoolPushMessage', (json: LotusMessage, { MsgUuid }: { MsgUuid: string }) => {
      const signed = this.#byUuid.get(MsgUuid) ?? this.pushNext(messageFromJson(json));
      this.#byUuid.set(MsgUuid, signed);
      return signedMessageToJson(signed);
    });
    handlers.set('StateListMessages', ({ To }: { To: string }, from: Key, least: number) =>
      this.#blocks
        .filter(({ tipSet }) => tipSet.height >= least && tipSet.height <= this.#heightOf(from))
        .flatMap(({ messages }) => messages)
        .filter(({ message }) => formatAddress(message.to) === To)
        .map((signed) => ({ '/': signedMessageCid(signed).toString() })),
    );
    handlers.set('ChainGetMessage', (cid: { '/': string }) => messageToJson(this.#find(cid['/']).message));
    handlers.set('StateMinerInfo', () => ({
      Owner: 't090',
      Worker: 't091',
      ControlAddresses: [formatAddress(this.senderId)],
      WindowPoStProofType: 10,
      SectorSize: 2048,
      WindowPoStPartitionSectors: 2,
    }));
    handlers.set('StateLookupID', (address: string) =>
      address === formatAddress(this.senderKey) ? formatAddress(this.senderId) : address,
    );
    handlers.set('WalletHas', () => true);
    handlers.set('StateGetRandomnessFromTickets', () => Buffer.from(this.commitment).toString('base64'));
    handlers.set('StateAccountKey', (address: string) => {
      if (address !== formatAddress(this.senderId)) return address;
      return formatAddress(this.senderKey);
    });
    handlers.set('GasEstimateMessageGas', (json: LotusMessage, spec: { MaxFee: string }) => {
      const gasFeeCap = BigInt(spec.MaxFee) / 1_000_000n;
      const message = messageFromJson(json);
      return messageToJson({
        ...message,
        gasLimit: message.gasLimit || 1_000_000,
        gasFeeCap: message.gasFeeCap || gasFeeCap / 4n,
        gasPremium: message.gasPremium || 1000n,
      });
    });
    handlers.set('WalletSignMessage', (_: string, json: LotusMessage) =>
      signedMessageToJson(this.#sign(messageFromJson(json))),
    );
    handlers.set('MpoolGetNonce', () => this.#poolNonce);
    handlers.set('MpoolPending', () => [...this.#pool.values()].map((signed) => signedMessageToJson(signed)));
    handlers.set('MpoolPush', (json: LotusSignedMessage) => ({ '/': this.#push(signedMessageFromJson(json)) }));
    handlers.set('StateSearchMsg', (from: Key, cid: { '/': string }) => this.#search(from, cid['/']));
    handlers.set('ChainGetTipSetByHeight', (height: number) => {
      const block = this.#blocks.findLast(({ tipSet }) => tipSet.height <= height) ?? this.#blocks[0];
      const tipSet = block?.tipSet ?? this.head;
      return { Cids: toKey(tipSet), Blocks: [{ Timestamp: tipSet.minTimestamp }], Height: tipSet.height };
    });
    handlers.set('StateGetActor', (_: string, key: Key) => ({
      Nonce: this.#nonceAt(this.#heightOf(key)),
      Balance: this.balance.toString(),
    }));
  }
}

function paramsText({ message }: SignedMessage): string {
  return Buffer.from(message.params).toString();
}

function tipSetAt(height: number, fork: number): TipSet {
  return { key: [blockCid(Buffer.from(`${fork}/${height}`)).toString()], height, minTimestamp: height * 30 };
}

function toKey(tipSet: TipSet): Key {
  return tipSet.key.map((cid) => ({ '/': cid }));
}
