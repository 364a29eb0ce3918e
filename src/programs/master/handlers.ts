import type { Leader } from '../../dispatch/leader.ts';
import { RPC_VERSION } from '../../rpc/methods.ts';
import type { MasterHandlers, RpcPeer } from '../../rpc/peer-session.ts';
import { rpcSlaveSession } from './slave-session.ts';
import type { Submitters } from './submitters.ts';

export interface HandlersInit {
  /** The master's own name. */
  readonly name: string;
  readonly heartbeatTimeoutMs: number;
}

/** The master's side of src/rpc/methods.ts. */
export function masterHandlers(
  components: { readonly leader: Leader; readonly submitters: Submitters },
  init: HandlersInit,
): MasterHandlers {
  const { leader, submitters } = components;
  return {
    async hello(hello, peer) {
      const answer = { version: RPC_VERSION, master: init.name, heartbeatTimeoutMs: init.heartbeatTimeoutMs };
      if (hello.role === 'submitter') {
        submitters.add(peer);
        return { ...answer, closed: [] };
      }
      const session = rpcSlaveSession(peer);
      const attempts = hello.attempts ?? [];
      const closed = await leader.join(session, { slots: hello.slots ?? 0, attempts });
      void peer.connection.closed.then(() => leader.leave(session));
      return { ...answer, closed };
    },
    'task.submit': (submission) => leader.submit(submission),
    'task.get': ({ id }) => leader.get(id),
    'task.cancel': ({ id, reason }) => leader.cancel(id, reason),
    'slave.heartbeat': async ({ attempts, free }, peer) => ({
      closed: await leader.heartbeat(slaveName(peer), attempts, free),
    }),
    'attempt.finish': ({ id, attempt, output }, peer) => leader.finish(slaveName(peer), { id, attempt }, output),
    'attempt.fail': ({ id, attempt, ...failure }, peer) =>
      leader.fail(slaveName(peer), { id, attempt }, failure.class, failure.reason),
  };
}

function slaveName(peer: RpcPeer): string {
  return peer.hello.name;
}
