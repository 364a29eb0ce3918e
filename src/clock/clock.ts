/** Every wait and every time stamp goes through a Clock, so that a test can drive years in seconds. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. For records and people; it may jump. */
  now(): number;
  /** Monotonic milliseconds. For durations and limits. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when that comes first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms` and returns a function that calls it off. Does not keep the process alive. */
  after(ms: number, run: () => void): () => void;
}
