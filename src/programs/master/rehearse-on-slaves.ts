import { CodedError, errorText } from '../../errors/coded-error.ts';
import { REHEARSAL_LIMIT_MS } from '../../ext-processor/rehearser.ts';
import { canRead, storeRoots } from '../../queue/store-roots.ts';
import { decodeTask } from '../../queue/window-post-task.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';
import { type RehearsalOutput, rehearsalOutput } from '../../rpc/window-post.ts';
import type { StoreTable } from './store-table.ts';

/** From here on a slave takes the task as bytes. */
const ATTACHMENT_VERSION = 2;

/**
 * Has one of the slaves read what a proof of this task would read; its GPU is not used and nothing is stored. One that cannot is
 * followed by the next.
 * @throws CodedError `no-slave` with what the last one said
 */
export async function rehearseOnSlaves(
  slaves: readonly RpcPeer[],
  task: Uint8Array,
  table: StoreTable,
): Promise<RehearsalOutput> {
  let last = 'none is connected';
  const roots = storeRoots(decodeTask(task).replicas);
  for (const { hello, connection } of slaves) {
    if (hello.version < ATTACHMENT_VERSION) continue;
    if (!canRead(roots, table.readable(hello))) {
      last = `${hello.name}: it does not read all stores of these sectors`;
      continue;
    }
    const stores = table.places(hello.attached ?? []);
    try {
      const options = { attachment: task, timeoutMs: REHEARSAL_LIMIT_MS };
      const answer = await connection.call('task.rehearse', stores.length > 0 ? { stores } : {}, options);
      return { ...rehearsalOutput.parse(answer), slave: hello.name };
    } catch (error) {
      last = `${hello.name}: ${errorText(error)}`;
    }
  }
  throw new CodedError('no-slave', `no slave could read the sectors (${last})`);
}
