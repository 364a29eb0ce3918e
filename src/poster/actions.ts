import type { Bitfield } from '../filecoin/bitfield.ts';
import type { SectorCopy } from '../stores/sector-check.ts';
import type { PartitionState } from './run.ts';

/** What `decide` wants done. Each is idempotent: deciding again from the same row after a crash gives it again. */
export type Action =
  /** The chain reorganised below the challenge: what is not sent yet was proven for another challenge. */
  | { readonly kind: 'restart'; readonly randomness: Uint8Array }
  /** Look at the sectors' files. */
  | { readonly kind: 'check'; readonly partition: number; readonly sectors: Bitfield }
  /** checking or left-out → proving */
  | {
      readonly kind: 'prove';
      readonly partition: number;
      readonly from: PartitionState;
      readonly skipped: Bitfield;
      readonly sectors: readonly SectorCopy[];
    }
  /** proving → checking: the task ended without a proof. */
  | {
      readonly kind: 'recheck';
      readonly partition: number;
      readonly skipped: Bitfield;
      /** What it found corrupt, if anything. */
      readonly corrupt: readonly SectorCopy[];
      readonly reason: string;
    }
  /** proving → proven, once the proof verified here too. */
  | {
      readonly kind: 'accept';
      readonly partition: number;
      readonly proof: Uint8Array;
      readonly tookMs: number | null;
      /** There is time for another one, should it not verify. */
      readonly mayRefuse: boolean;
    }
  /** checking, proving or left-out → proven, where the proof that did not verify does now. */
  | { readonly kind: 'look-again'; readonly partition: number; readonly from: PartitionState }
  /** proven → sending: these partitions in one message. */
  | { readonly kind: 'submit'; readonly partitions: readonly number[] }
  /** checking or proving → left-out: too much of it cannot be read. */
  | {
      readonly kind: 'leave-out';
      readonly partition: number;
      readonly from: PartitionState;
      readonly corrupt: readonly SectorCopy[];
      readonly reason: string;
    }
  /** landed or sending → sending: its message was reorganised out and has to land again. */
  | { readonly kind: 'reopen'; readonly partition: number; readonly from: PartitionState }
  /**
   * sending, landed or missed → proven or checking: the message was refused, failed, or is for a chain that is no more; or the head
   * went back below Close.
   */
  | {
      readonly kind: 'resend';
      readonly partition: number;
      readonly from: PartitionState;
      readonly to: 'proven' | 'checking';
      readonly messageLimit: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'finish';
      readonly partition: number;
      readonly state: 'landed' | 'missed';
      readonly reason: string | null;
    }
  /** Close is deep under the head and every partition is at its end. */
  | { readonly kind: 'close' };
