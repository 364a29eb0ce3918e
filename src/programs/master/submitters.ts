import type { TaskView } from '../../rpc/methods.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';

/** Those who submit tasks; there are few, and each is told of every change. */
export class Submitters {
  readonly #peers = new Set<RpcPeer>();

  add(peer: RpcPeer): void {
    this.#peers.add(peer);
    void peer.connection.closed.then(() => this.#peers.delete(peer));
  }

  tell(id: string, state: TaskView['state']): void {
    for (const peer of this.#peers) peer.connection.notify('task.changed', { id, state });
  }
}
