import { storeRoots } from './store-roots.ts';
import { canonicalTask, parseTask, taskId } from './window-post-task.ts';

export interface Submission {
  /** A WindowPostTask, not checked yet. */
  readonly task: unknown;
  /** When the result is worthless, milliseconds since 1970; null: never. */
  readonly closeAt: number | null;
}

/** What the tables keep of a submission. */
export interface PreparedSubmission {
  readonly id: string;
  /** Canonical JSON. */
  readonly body: Buffer;
  readonly closeAt: number | null;
  readonly minerId: number;
  readonly proofType: string;
  readonly sectorCount: number;
  /** Directories that hold the sectors; null: not known. */
  readonly stores: readonly string[] | null;
}

/** @throws CodedError `bad-task` that names the field */
export function prepareSubmission(submission: Submission): PreparedSubmission {
  const task = parseTask(submission.task);
  const body = canonicalTask(task);
  return {
    id: taskId(body),
    body,
    closeAt: submission.closeAt,
    minerId: task.miner_id,
    proofType: task.proof_type,
    sectorCount: new Set(task.replicas.map((replica) => replica.sector_id)).size,
    stores: storeRoots(task.replicas),
  };
}
