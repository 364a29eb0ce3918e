import type { TaskView } from '../../rpc/methods.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';

/** Who asked for which tasks, and hears that they are finished. */
export class Submitters {
  readonly #peers = new Map<RpcPeer, Set<string>>();

  add(peer: RpcPeer): void {
    this.#peers.set(peer, new Set());
    void peer.connection.closed.then(() => this.#peers.delete(peer));
  }

  /** Called with every answer about a task. */
  answered(peer: RpcPeer, view: TaskView | null): void {
    if (view?.finishedAt === null) this.#peers.get(peer)?.add(view.id);
  }

  tell(id: string, state: TaskView['state']): void {
    if (state === 'waiting' || state === 'running') return;
    for (const [peer, tasks] of this.#peers) {
      if (!tasks.delete(id)) continue;
      peer.connection.notify('task.changed', { id, state });
    }
  }
}
