import type { Bitfield } from '../filecoin/bitfield.ts';
import type { GoodSector } from '../stores/sector-check.ts';

/** What `decide` wants done. Each is idempotent: deciding again from the same row after a crash gives it again. */
export type Action =
  /** The chain reorganised below the challenge: what is not sent yet was proven for another challenge. */
  | { readonly kind: 'restart'; readonly randomness: Uint8Array }
  /** Look at the sectors' files. */
  | { readonly kind: 'check'; readonly partition: number; readonly sectors: Bitfield }
  /** checking → proving */
  | {
      readonly kind: 'prove';
      readonly partition: number;
      readonly skipped: Bitfield;
      readonly sectors: readonly GoodSector[];
    }
  /** proving → checking: the task ended without a proof. */
  | { readonly kind: 'recheck'; readonly partition: number; readonly skipped: Bitfield; readonly reason: string }
  /** proving → proven, once the proof verified here too. */
  | { readonly kind: 'accept'; readonly partition: number; readonly proof: Uint8Array }
  /** proven → sending: these partitions in one message. */
  | { readonly kind: 'submit'; readonly partitions: readonly number[] }
  /** sending → proven or checking: the message was refused or failed. */
  | {
      readonly kind: 'resend';
      readonly partition: number;
      readonly to: 'proven' | 'checking';
      readonly solitary: boolean;
      readonly reason: string;
    }
  | {
      readonly kind: 'finish';
      readonly partition: number;
      readonly state: 'landed' | 'missed';
      readonly reason: string | null;
    }
  /** Every partition is finished. */
  | { readonly kind: 'close' };
