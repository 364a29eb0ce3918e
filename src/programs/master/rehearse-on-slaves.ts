import { CodedError, errorText } from '../../errors/coded-error.ts';
import { REHEARSAL_LIMIT_MS } from '../../ext-processor/rehearser.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';
import { type WindowPostOutput, windowPostOutput } from '../../rpc/window-post.ts';

/** From here on a slave takes the task as bytes. */
const ATTACHMENT_VERSION = 2;

/**
 * Has one of the slaves read what a proof of this task would read; its GPU is not used and nothing is stored. One that cannot is
 * followed by the next.
 * @throws CodedError `no-slave` with what the last one said
 */
export async function rehearseOnSlaves(slaves: readonly RpcPeer[], task: Uint8Array): Promise<WindowPostOutput> {
  let last = 'none is connected';
  for (const { hello, connection } of slaves) {
    if (hello.version < ATTACHMENT_VERSION) continue;
    try {
      const answer = connection.call('task.rehearse', {}, { attachment: task, timeoutMs: REHEARSAL_LIMIT_MS });
      return windowPostOutput.parse(await answer);
    } catch (error) {
      last = `${hello.name}: ${errorText(error)}`;
    }
  }
  throw new CodedError('no-slave', `no slave could read the sectors (${last})`);
}
