/** The timing of window PoSt, in epochs. */
export interface DeadlinePolicy {
  readonly periodDeadlines: number;
  readonly provingPeriod: number;
  /** How long a deadline is open. */
  readonly challengeWindow: number;
  /** The challenge is drawn this long before the deadline opens. */
  readonly challengeLookback: number;
  /** Faults and recoveries are declared at the latest this long before the deadline opens. */
  readonly faultDeclarationCutoff: number;
}

/** Of mainnet, calibration and 2k development networks. */
export const mainnetPolicy: DeadlinePolicy = {
  periodDeadlines: 48,
  provingPeriod: 2880,
  challengeWindow: 60,
  challengeLookback: 20,
  faultDeclarationCutoff: 70,
};

export const EPOCH_DURATION_SECONDS = 30;
export const EPOCHS_IN_DAY = 2880;
/** Epochs after which a block is final. */
export const CHAIN_FINALITY = 900;
/** Epochs after a deadline's close in which its proofs can be disputed. */
export const WPOST_DISPUTE_WINDOW = 1800;
/** Epochs after which a faulty sector is terminated. */
export const FAULT_MAX_AGE = 42 * EPOCHS_IN_DAY;
/** Partitions in one SubmitWindowedPoSt, from network version 21. */
export const POSTED_PARTITIONS_MAX = 3;
/** Limits of one declaration of faults, recoveries or terminations. */
export const DECLARATIONS_MAX = 3000;
export const ADDRESSED_PARTITIONS_MAX = 3000;
export const ADDRESSED_SECTORS_MAX = 25_000;
export const MAX_PARTITIONS_PER_DEADLINE = 3000;
