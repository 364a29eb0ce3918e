import type { WindowPostTask } from '../rpc/window-post.ts';
import { scanCanonicalTask } from './scan-canonical-task.ts';
import { listRoots, storeRoots } from './store-roots.ts';
import {
  canonicalReplicas,
  canonicalTask,
  decodeTask,
  parseTask,
  taskId,
  windowProofType,
} from './window-post-task.ts';

export interface Submission {
  /** A WindowPostTask or its JSON, not checked yet. */
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
export function prepareSubmission({ task, closeAt }: Submission): PreparedSubmission {
  return task instanceof Uint8Array ? prepareText(task, closeAt) : prepareTask(parseTask(task), closeAt);
}

function prepareText(text: Uint8Array, closeAt: number | null): PreparedSubmission {
  const scanned = scanCanonicalTask(text);
  if (scanned === undefined || windowProofType(scanned.proofType) === undefined) {
    return prepareTask(decodeTask(text), closeAt);
  }
  const { roots, ...facts } = scanned;
  const body = Buffer.from(text.buffer, text.byteOffset, text.length);
  return { id: taskId(body), body, closeAt, ...facts, stores: listRoots(roots) };
}

function prepareTask(task: WindowPostTask, closeAt: number | null): PreparedSubmission {
  const replicas = canonicalReplicas(task.replicas);
  const body = canonicalTask({ ...task, replicas });
  return {
    id: taskId(body),
    body,
    closeAt,
    minerId: task.miner_id,
    proofType: task.proof_type,
    sectorCount: replicas.length,
    stores: storeRoots(replicas),
  };
}
