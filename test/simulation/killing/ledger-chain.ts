import type { Chain } from '../../../src/chain/chain.ts';
import type { TipSet } from '../../../src/chain/tipset.ts';
import { CodedError } from '../../../src/errors/coded-error.ts';
import { type Address, idAddress } from '../../../src/filecoin/address.ts';
import { Bitfield } from '../../../src/filecoin/bitfield.ts';
import { blockCid, parseCid, sealedCid } from '../../../src/filecoin/cid.ts';
import { deadlineAt } from '../../../src/filecoin/deadline.ts';
import { encodeSignedMessage, signedMessageCid } from '../../../src/filecoin/message.ts';
import { addressOfKey } from '../../../src/filecoin/secp256k1.ts';
import { DEADLINE, type Entry, type Ledger, PARTITIONS, RECOVERING, SECTORS_EACH } from './ledger.ts';

const GENESIS_S = 1_700_000_000;
const PROOF_2KIB = 10;

const RANDOMNESS = new Uint8Array(32).fill(7);

export const tipSetAt = (height: number): TipSet => ({
  key: [blockCid(Buffer.from(`block ${height}`)).toString()],
  height,
  minTimestamp: GENESIS_S + height * 30,
});

const sectorsOf = (partition: number): number[] =>
  Array.from({ length: SECTORS_EACH }, (_, index) => partition * SECTORS_EACH + index);

const commROf = (sector: number): Uint8Array => new Uint8Array(32).fill(sector + 1);

/** The node of a poster: a view of the ledger. What it does not serve nobody here asks for. */
export function ledgerChain(ledger: Ledger, append: (entry: Entry) => void, account: number): Chain {
  const key = addressOfKey(new Uint8Array(32).fill((account % 250) + 1));
  const partitionsOf = (deadline: number) =>
    deadline !== DEADLINE.index ? [] : Array.from({ length: PARTITIONS }, (_, index) => index);
  const nonceAt = (height: number) => ledger.landed.filter((one) => one.height <= height).length;
  const heightOf = (tipSet: readonly string[]) => {
    for (let height = ledger.height; height > 0; height--) if (tipSetAt(height).key[0] === tipSet[0]) return height;
    return ledger.height;
  };
  const served = {
    head: async () => tipSetAt(ledger.height),
    tipSetByHeight: async (height: number) => tipSetAt(height),
    networkVersion: async () => 24,
    minerInfo: async () => ({
      owner: idAddress(account),
      worker: idAddress(account),
      controlAddresses: [],
      windowPoStProofType: PROOF_2KIB,
      sectorSize: 2048,
      windowPoStPartitionSectors: SECTORS_EACH,
    }),
    provingDeadline: async (_: Address, tipSet: readonly string[]) => deadlineAt(0, heightOf(tipSet)),
    deadlines: async () =>
      Array.from({ length: 48 }, (_, index) => ({
        postSubmissions: index === DEADLINE.index ? Bitfield.of(ledger.posted) : Bitfield.empty,
        disputableProofCount: 0,
      })),
    partitions: async (_: Address, deadline: number) =>
      partitionsOf(deadline).map((index) => {
        const all = Bitfield.of(sectorsOf(index));
        const recovering = index === RECOVERING ? Bitfield.of(sectorsOf(index).slice(0, 1)) : Bitfield.empty;
        return { all, live: all, faulty: recovering, recovering, active: all.subtract(recovering) };
      }),
    sectors: async () =>
      partitionsOf(DEADLINE.index)
        .flatMap(sectorsOf)
        .map((number) => ({
          number,
          sealProof: 5,
          sealedCid: sealedCid(commROf(number)),
          sectorKeyCid: null,
          expiration: 1_000_000,
        })),
    beaconRandomness: async () => RANDOMNESS,
    ticketRandomness: async () => RANDOMNESS,
    lookupId: async () => idAddress(account),
    accountKey: async () => key,
    actorNonce: async (_: Address, tipSet: readonly string[]) => nonceAt(heightOf(tipSet)),
    actorBalance: async () => 10n ** 20n,
    walletHas: async () => true,
    walletSignMessage: async (_: Address, message: Parameters<Chain['walletSignMessage']>[1]) => ({
      message,
      signature: { type: 'secp256k1' as const, data: new Uint8Array(65) },
    }),
    estimateGasLimit: async () => 1_000_000,
    estimateGas: async (message: Parameters<Chain['estimateGas']>[0]) => ({
      ...message,
      gasLimit: 1_000_000,
      gasFeeCap: 1_000n,
      gasPremium: 100n,
    }),
    nonce: async () => {
      let nonce = ledger.landed.length;
      while (ledger.pool.has(nonce)) nonce++;
      return nonce;
    },
    pending: async () => [...ledger.pool.values()],
    push: async (signed: Parameters<Chain['push']>[0]) => {
      const { nonce } = signed.message;
      const refuse = (nodeMessage: string) =>
        new CodedError('chain-error', nodeMessage, { data: { rpcCode: 1, nodeMessage } });
      if (nonce < ledger.landed.length) throw refuse('message nonce too low');
      const cid = signedMessageCid(signed);
      const pooled = ledger.pool.get(nonce);
      if (pooled !== undefined && signedMessageCid(pooled).equals(cid)) throw refuse('already in mpool');
      append({ push: Buffer.from(encodeSignedMessage(signed)).toString('hex') });
      return cid;
    },
    sentMessages: async () => [],
    searchMessage: async (
      cid: Parameters<Chain['searchMessage']>[0],
      { from }: Parameters<Chain['searchMessage']>[1],
    ) => {
      const found = ledger.landed.find((one) => one.cid === cid.toString());
      const height = from === undefined ? ledger.height : heightOf(from);
      if (found === undefined || found.height >= height) return null;
      const { exitCode } = found;
      const tipSet = tipSetAt(found.height + 1).key;
      return {
        cid: parseCid(found.cid),
        exitCode,
        return: new Uint8Array(),
        gasUsed: 1,
        height: found.height + 1,
        tipSet,
      };
    },
  };
  return served as unknown as Chain;
}
