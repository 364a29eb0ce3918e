/** How one value of a config file is read. */
export interface Kind<T> {
  /** What may be written, for error messages and reference pages; reads on from "write ". */
  readonly accepts: string;
  /** The value, or undefined when it is not of this kind. */
  readonly read: (found: unknown) => T | undefined;
  /** Never shown in a message. */
  readonly secret?: boolean;
  /** Whether a value that is not of this kind may hold a secret, and is not shown either. */
  readonly mayHoldSecret?: (wrong: unknown) => boolean;
  /** What of a secret may be shown; where absent nothing. */
  show?(value: T): string;
}

/** Why a value is not of its kind, where there is more to say than what is accepted. Thrown by `Kind.read` only. */
export class KindMismatch extends Error {}
