import { derive } from '../chain/entropy.ts';
import { BASE_FEE } from '../chain/gas.ts';
import { type Block, type TipSet, tipSetName } from '../chain/tipset.ts';
import { base64, cidJson, placeholderCid } from './json.ts';

// The signature of a block without BLS messages: the point at infinity.
const NO_AGGREGATE = { Type: 2, Data: base64(Uint8Array.from({ length: 96 }, (_, index) => (index === 0 ? 0xc0 : 0))) };
const GENESIS_PARENT = { '/': 'bafyreiaqpwbbyjo4a42saasj36kkrpv4tsherf2e7bvezkert2a7dhonoi' };

/** A tipset as nodes print it. Fields of blocks that no client of ours reads are filled in with stand-ins. */
export function tipSetJson(tipSet: TipSet): unknown {
  return {
    Cids: tipSet.key.map(cidJson),
    Blocks: tipSet.blocks.map((block) => blockJson(tipSet, block)),
    Height: tipSet.height,
  };
}

function blockJson(tipSet: TipSet, block: Block): unknown {
  const isGenesis = tipSet.parents.length === 0;
  const parents = tipSetName(tipSet.parents);
  return {
    Miner: `t0${block.miner}`,
    Ticket: { VRFProof: base64(block.ticket) },
    ElectionProof: {
      WinCount: isGenesis ? 0 : 1,
      VRFProof: isGenesis ? null : base64(derive(96, block.cid, 'election')),
    },
    BeaconEntries: block.beaconEntries.map(({ round, data }) => ({ Round: round, Data: base64(data) })),
    WinPoStProof: isGenesis ? null : [{ PoStProof: 0, ProofBytes: base64(Buffer.from('valid proof')) }],
    Parents: isGenesis ? [GENESIS_PARENT] : tipSet.parents.map(cidJson),
    ParentWeight: String(tipSet.height),
    Height: tipSet.height,
    ParentStateRoot: placeholderCid(`state/${parents}`),
    ParentMessageReceipts: placeholderCid(`receipts/${parents}`),
    Messages: placeholderCid(`messages/${tipSet.messages.map(({ cid }) => cid).join()}`),
    BLSAggregate: isGenesis ? null : NO_AGGREGATE,
    Timestamp: tipSet.timestamp,
    BlockSig: isGenesis ? null : { Type: 2, Data: base64(derive(96, block.cid, 'signature')) },
    ForkSignaling: 0,
    ParentBaseFee: BASE_FEE.toString(),
  };
}
