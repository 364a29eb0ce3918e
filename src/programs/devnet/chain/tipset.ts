import { encode } from 'cborg';
import { blockCid } from '../../../filecoin/cid.ts';
import type { SignedMessage } from '../../../filecoin/message.ts';
import type { MissedPost } from '../actor/deadline-end.ts';
import type { ChainState } from '../state/chain-state.ts';
import type { Receipt } from './apply-message.ts';
import { derive } from './entropy.ts';

export interface ChainMessage {
  readonly cid: string;
  readonly signed: SignedMessage;
  /** It was in a block that left the chain. */
  readonly isRestored?: boolean;
}

/** The parts of a block header that differ from block to block. */
export interface Block {
  readonly cid: string;
  /** Actor id of the miner that won it. */
  readonly miner: number;
  /** 96 bytes. */
  readonly ticket: Uint8Array;
  readonly beaconEntries: readonly { readonly round: number; readonly data: Uint8Array }[];
}

/** A tipset and what comes of executing it. Times are seconds since 1970. */
export interface TipSet {
  /** Block CIDs; joined with commas, the name of the tipset in maps. */
  readonly key: readonly string[];
  readonly height: number;
  readonly timestamp: number;
  readonly parents: readonly string[];
  readonly blocks: readonly Block[];
  readonly messages: readonly ChainMessage[];
  /** Before its messages: what queries at its key answer from. */
  readonly state: ChainState;
  /** After its messages; `receipts` stand in their order. */
  readonly applied: ChainState;
  readonly receipts: readonly Receipt[];
  /** After the work that ends the epoch: the state of the next tipset. */
  readonly next: ChainState;
  readonly missed: readonly (MissedPost & { readonly miner: number })[];
}

/** What a block is made from; the same values give the same block. */
export interface BlockInit {
  readonly seed: string;
  /** Differs between branches of the chain. */
  readonly branch: number;
  readonly height: number;
  readonly parents: readonly string[];
  /** Position in its tipset. */
  readonly index: number;
  readonly miner: number;
  readonly beaconEntries: Block['beaconEntries'];
  readonly messages: readonly ChainMessage[];
}

const TICKET_BYTES = 96;

export function makeBlock(init: BlockInit): Block {
  const ticket = derive(TICKET_BYTES, init.seed, 'ticket', init.branch, init.height, init.index);
  const content = [init.miner, init.height, init.parents, ticket, init.messages.map(({ cid }) => cid)];
  return { cid: blockCid(encode(content)).toString(), miner: init.miner, ticket, beaconEntries: init.beaconEntries };
}

export const tipSetName = (key: readonly string[]): string => key.join(',');

/** As on the chain, the smallest ticket of a tipset is the one randomness is drawn from. */
export function smallestTicket(tipSet: TipSet): Uint8Array {
  const tickets = tipSet.blocks.map(({ ticket }) => Buffer.from(ticket));
  return tickets.reduce((least, ticket) => (Buffer.compare(ticket, least) < 0 ? ticket : least));
}
