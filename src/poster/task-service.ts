import { isProof } from '../queue/is-proof.ts';
import { canonicalTask } from '../queue/window-post-task.ts';
import type { TaskView } from '../rpc/methods.ts';
import type { RpcClient } from '../rpc/rpc-client.ts';
import type { WindowPostTask } from '../rpc/window-post.ts';

/** The master as the poster sees it. */
export interface TaskService {
  /** Idempotent: the same work is one task. `closeAt` in milliseconds since 1970. */
  submit(task: WindowPostTask, closeAt: number): Promise<TaskView>;
  get(id: string): Promise<TaskView | null>;
  cancel(id: string, reason: string): Promise<void>;
  /** This proof does not hold: the task needs another one. False where it is still the answer. */
  refuse(id: string, proof: Uint8Array, reason: string): Promise<boolean>;
}

/** A submission carries up to 2,349 replicas, about 550 KB. */
const SUBMIT_LIMIT_MS = 30_000;
/** Asked at every head: a master that hangs must not hold back what needs no master. */
const ASK_LIMIT_MS = 3_000;

export function rpcTaskService(client: RpcClient): TaskService {
  return {
    submit: (task, closeAt) =>
      client.masterVersion === 1
        ? client.call('task.submit', { task, closeAt }, { timeoutMs: SUBMIT_LIMIT_MS })
        : client.call('task.submit', { closeAt }, { timeoutMs: SUBMIT_LIMIT_MS, attachment: canonicalTask(task) }),
    get: (id) => client.call('task.get', { id }, { timeoutMs: ASK_LIMIT_MS }),
    async cancel(id, reason) {
      await client.call('task.cancel', { id, reason }, { timeoutMs: SUBMIT_LIMIT_MS });
    },
    async refuse(id, proof, reason) {
      const text = Buffer.from(proof).toString('base64');
      const view = await client.call('task.refuse', { id, proof: text, reason }, { timeoutMs: SUBMIT_LIMIT_MS });
      return view === null || !isProof(view, proof);
    },
  };
}
