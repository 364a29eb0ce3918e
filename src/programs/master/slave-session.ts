import type { SlaveSession } from '../../dispatch/slave-roster.ts';
import { decodeTask } from '../../queue/window-post-task.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';
import type { StoreTable } from './store-table.ts';

const START_LIMIT_MS = 15_000;
/** A slave that was restarted waits so long for the silence of its former life. */
const ANSWER_LIMIT_MS = 2_000;
/** From here on a slave takes the task as bytes. */
const ATTACHMENT_VERSION = 2;

/** A slave at the other end of an RPC connection. */
export function rpcSlaveSession({ hello, remote, connection }: RpcPeer, table: StoreTable): SlaveSession {
  const attached = hello.attached ?? [];
  return {
    name: hello.name,
    instance: hello.instance,
    remote,
    version: hello.version,
    sectorSize: hello.sectorSize ?? null,
    get stores() {
      return table.readable(hello);
    },
    async start({ id, attempt, closeAt, closesInMs, facts, body }) {
      const stores = table.places(attached);
      const lease = { id, attempt, closeAt, closesInMs, ...(stores.length > 0 && { stores }) };
      const limit = { timeoutMs: START_LIMIT_MS };
      return hello.version < ATTACHMENT_VERSION
        ? await connection.call('attempt.start', { ...lease, task: decodeTask(body) }, limit)
        : await connection.call('attempt.start', { ...lease, facts }, { ...limit, attachment: body });
    },
    async cancel({ id, attempt }, reason) {
      await connection.call('attempt.cancel', { id, attempt, reason });
    },
    answers: () => connection.answers(ANSWER_LIMIT_MS),
    close: () => connection.close('a slave of the same name has come'),
  };
}
