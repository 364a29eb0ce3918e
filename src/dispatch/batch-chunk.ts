import { mayAskAgain } from '../queue/task-state.ts';
import type { TaskView } from '../rpc/methods.ts';
import type { WindowPostOutput } from '../rpc/window-post.ts';

/** What a request knows of one of its chunks. Times in milliseconds of the database's clock. */
export interface BatchChunk {
  /** Ascending. */
  readonly sectors: readonly number[];
  /** unasked: not submitted yet, or not there any more. dropped: cancelled by this request, which needs it no more. */
  readonly state: TaskView['state'] | 'unasked' | 'dropped';
  readonly output: WindowPostOutput | null;
  /** Every sector was tried, and what cannot be read is in `bad` and `unknown`. */
  readonly isRead: boolean;
  /** Sector → what is wrong with it. */
  readonly bad: ReadonlyMap<number, string>;
  /** Sector → why it could not be read. The newest attempt counts. */
  readonly unknown: ReadonlyMap<number, string>;
  /** Why the last attempt that failed did; null: none has. */
  readonly failure: string | null;
  /** It is not submitted (again) before. */
  readonly submitAt: number;
}

const NONE: ReadonlyMap<number, string> = new Map();

/** Phases that a prover reaches once it has made vanilla proofs of all sectors. */
const PHASES_AFTER_READING: ReadonlySet<string | null> = new Set(['waiting', 'proving', 'verifying']);

export function unaskedChunk(sectors: readonly number[]): BatchChunk {
  return {
    sectors,
    state: 'unasked',
    output: null,
    isRead: false,
    bad: NONE,
    unknown: NONE,
    failure: null,
    submitAt: 0,
  };
}

export function isUnfinished({ state }: BatchChunk): boolean {
  return state === 'waiting' || state === 'running';
}

/** `view` as the tables have it, of an unfinished chunk or of one just submitted; null: its task was removed. */
export function learn(chunk: BatchChunk, view: TaskView | null, submitAt: number): BatchChunk {
  if (view === null) return { ...chunk, state: 'unasked', failure: 'its task was removed', submitAt };
  const { state } = view;
  switch (state) {
    case 'waiting':
    case 'running': {
      const seen = { ...chunk, state, failure: view.error ?? chunk.failure };
      return state === 'running' && PHASES_AFTER_READING.has(view.phase) ? readWell(seen) : seen;
    }
    case 'proven':
      return { ...readWell(chunk), state, output: view.output };
    case 'faulted':
      return { ...chunk, ...faultsOf(chunk, view.output), state, isRead: true, failure: view.error, submitAt };
    case 'cancelled':
      // Others did not want it any more: that is no reason for this one.
      return { ...chunk, state: mayAskAgain(view.error) ? 'failed' : state, failure: view.error, submitAt };
    case 'failed':
      return { ...chunk, state, failure: view.error, submitAt };
  }
}

function readWell(chunk: BatchChunk): BatchChunk {
  return { ...chunk, isRead: true, bad: NONE, unknown: NONE };
}

/** A prover that gives no class for a fault cannot tell a bad sector from a store that is away, so it says no more than unknown. */
function faultsOf(chunk: BatchChunk, output: WindowPostOutput | null): Pick<BatchChunk, 'bad' | 'unknown'> {
  const details = new Map(output?.details?.map((detail) => [detail.sector_id, detail]));
  // What was found bad stays so when a later attempt cannot read it at all.
  const bad = new Map(chunk.bad);
  const unknown = new Map<number, string>();
  for (const sector of output?.faults ?? []) {
    const detail = details.get(sector);
    if (detail?.class === 'bad') bad.set(sector, detail.reason);
    else if (!bad.has(sector)) unknown.set(sector, detail?.reason ?? 'not readable, and the prover does not say why');
  }
  return { bad, unknown };
}
