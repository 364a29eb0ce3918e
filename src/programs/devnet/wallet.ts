import { bls12_381 } from '@noble/curves/bls12-381.js';
import { concatBytes } from '@noble/curves/utils.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { CodedError } from '../../errors/coded-error.ts';
import { type Address, addressFromBytes, formatAddress } from '../../filecoin/address.ts';
import { type Message, messageCid, type Signature, type SignedMessage, signingDigest } from '../../filecoin/message.ts';
import { addressOfKey, recoverSigner, signDigest } from '../../filecoin/secp256k1.ts';
import { derive } from './chain/entropy.ts';

const { longSignatures } = bls12_381;
const BLS_DOMAIN = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_';

interface Key {
  readonly address: Address;
  readonly type: Signature['type'];
  readonly privateKey: Uint8Array;
}

/** The node's keys, made from the seed. For tests only: whoever knows the seed knows them. */
export class Wallet {
  readonly #seed: string;
  readonly #keys = new Map<string, Key>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  create(type: Signature['type'], name: string): Address {
    const privateKey = derive(32, this.#seed, 'key', name);
    // Below the order of both groups.
    privateKey[0] = (privateKey[0] ?? 0) & 0x3f;
    const address = type === 'secp256k1' ? addressOfKey(privateKey) : blsAddress(privateKey);
    this.#keys.set(formatAddress(address), { address, type, privateKey });
    return address;
  }

  /** The first key made. */
  get defaultAddress(): Address {
    const [first] = this.addresses();
    if (first === undefined) throw new CodedError('no-key', 'the wallet holds no key');
    return first;
  }

  addresses(): Address[] {
    return [...this.#keys.values()].map(({ address }) => address);
  }

  has(address: Address): boolean {
    return this.#keys.has(formatAddress(address));
  }

  /** @throws CodedError `no-key` */
  sign(address: Address, data: Uint8Array): Signature {
    return this.#sign(address, data, blake2b(data, { dkLen: 32 }));
  }

  /** @throws CodedError `no-key` */
  signMessage(address: Address, message: Message): SignedMessage {
    return { message, signature: this.#sign(address, messageCid(message).bytes, signingDigest(message)) };
  }

  #sign(address: Address, data: Uint8Array, digest: Uint8Array): Signature {
    const key = this.#keys.get(formatAddress(address));
    if (key === undefined)
      throw new CodedError('no-key', `signing using private key '${formatAddress(address)}': key info not found`);
    if (key.type === 'secp256k1') return { type: 'secp256k1', data: signDigest(digest, key.privateKey) };
    const point = longSignatures.sign(longSignatures.hash(data, BLS_DOMAIN), key.privateKey);
    return { type: 'bls', data: longSignatures.Signature.toBytes(point) };
  }
}

/** Whether the sender of the message, a key address, signed it. */
export function isSignedBySender({ message, signature }: SignedMessage, sender: Address): boolean {
  try {
    if (signature.type === 'secp256k1') {
      return formatAddress(recoverSigner(signingDigest(message), signature.data)) === formatAddress(sender);
    }
    const hashed = longSignatures.hash(messageCid(message).bytes, BLS_DOMAIN);
    return sender.protocol === 3 && longSignatures.verify(signature.data, hashed, sender.payload);
  } catch {
    return false;
  }
}

function blsAddress(privateKey: Uint8Array): Address {
  const publicKey = longSignatures.getPublicKey(privateKey).toBytes();
  return addressFromBytes(concatBytes(Uint8Array.of(3), publicKey));
}
