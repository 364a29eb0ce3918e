import type { SlaveSession } from '../../dispatch/slave-roster.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';

const START_LIMIT_MS = 15_000;

/** A slave at the other end of an RPC connection. */
export function rpcSlaveSession({ hello, connection }: RpcPeer): SlaveSession {
  return {
    name: hello.name,
    sectorSize: hello.sectorSize ?? null,
    start: (lease) => connection.call('attempt.start', { ...lease }, { timeoutMs: START_LIMIT_MS }),
    async cancel({ id, attempt }, reason) {
      await connection.call('attempt.cancel', { id, attempt, reason });
    },
    close: () => connection.close('a slave of the same name has come'),
  };
}
