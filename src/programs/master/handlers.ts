import { CodedError, errorCode } from '../../errors/coded-error.ts';
import { RPC_VERSION, type TaskView } from '../../rpc/methods.ts';
import type { MasterHandlers, RpcPeer } from '../../rpc/peer-session.ts';
import { rehearseOnSlaves } from './rehearse-on-slaves.ts';
import type { Reign } from './reign.ts';
import { rpcSlaveSession } from './slave-session.ts';

export interface HandlersInit {
  /** The master's own name. */
  readonly name: string;
  readonly heartbeatTimeoutMs: number;
  /** The one that lasts, once it is decided whether this master leads. */
  readonly reign: () => Promise<Reign | undefined>;
  /** `host:port` of the leading master where that is another and known. */
  readonly leader: () => string | undefined;
}

/** The master's side of src/rpc/methods.ts. All throw `not-leading`, with `leader` where it is known, while another master leads. */
export function masterHandlers(init: HandlersInit): MasterHandlers {
  const { name, heartbeatTimeoutMs } = init;
  /** Who came in a reign has no part in the next one. */
  const reigns = new WeakMap<RpcPeer, Reign>();

  function notLeading(): CodedError {
    const leader = init.leader();
    const where = leader === undefined ? '' : `; the master at ${leader} does`;
    return new CodedError('not-leading', `this master does not lead${where}`, leader === undefined ? {} : { leader });
  }

  async function leading<T>(reign: Reign | undefined, work: (reign: Reign) => Promise<T>): Promise<T> {
    if (reign === undefined || reign.isOver) throw notLeading();
    try {
      return await work(reign);
    } catch (error) {
      if (errorCode(error) !== 'not-leading') throw error;
      throw notLeading();
    }
  }

  const within = <T>(peer: RpcPeer, work: (reign: Reign) => Promise<T>) => leading(reigns.get(peer), work);

  return {
    hello: async (hello, peer) =>
      await leading(await init.reign(), async (reign) => {
        reigns.set(peer, reign);
        reign.add(peer);
        const answer = { version: RPC_VERSION, master: name, heartbeatTimeoutMs, closed: [] };
        if (hello.role === 'submitter') reign.submitters.add(peer);
        if (hello.role !== 'slave') return answer;
        const session = rpcSlaveSession(peer, reign.stores);
        const attempts = hello.attempts ?? [];
        const closed = await reign.leader.join(session, { slots: hello.slots ?? 0, attempts });
        void peer.connection.closed.then(() => reign.leader.leave(session));
        return { ...answer, closed };
      }),
    'task.submit': ({ task, closeAt }, peer, body) =>
      within(peer, async (reign) => {
        const view = await follow(reign, peer, await reign.leader.submit({ task: body ?? task, closeAt }));
        reign.submitters.submitted(peer, view);
        return view;
      }),
    'task.get': ({ id }, peer) => within(peer, async (reign) => await follow(reign, peer, await reign.leader.get(id))),
    'task.cancel': ({ id, reason }, peer) => within(peer, (reign) => reign.withdraw(id, reason, peer)),
    'task.refuse': ({ id, proof, reason }, peer) =>
      within(
        peer,
        async (reign) =>
          await follow(reign, peer, await reign.refuse({ id, proof: Buffer.from(proof, 'base64'), reason }, peer)),
      ),
    'task.rehearse': (_, peer, body) =>
      within(peer, async (reign) => {
        if (body === undefined) throw new CodedError('bad-task', 'task.rehearse came without its task');
        return await rehearseOnSlaves(reign.slavePeers(), body, reign.stores);
      }),
    'stores.tell': ({ stores }, peer) =>
      within(peer, async (reign) => {
        reign.stores.tell(peer, stores);
        reign.leader.dispatcher.wake();
        return null;
      }),
    'batch.prove': (request, peer) => within(peer, (reign) => reign.proveBatch(request, peer)),
    'slave.heartbeat': ({ attempts, free }, peer) =>
      within(peer, async ({ leader }) => ({ closed: await leader.heartbeat(slaveName(peer), attempts, free) })),
    'attempt.finish': ({ id, attempt, output }, peer) =>
      within(peer, ({ leader }) => leader.finish(slaveName(peer), { id, attempt }, output)),
    'attempt.fail': ({ id, attempt, ...failure }, peer) =>
      within(peer, ({ leader }) => leader.fail(slaveName(peer), { id, attempt }, failure.class, failure.reason)),
    'tasks.list': (filter, peer) => within(peer, ({ operator }) => operator.list(filter)),
    'tasks.show': ({ id }, peer) => within(peer, ({ operator }) => operator.show(id)),
    'tasks.reset': ({ id }, peer) => within(peer, ({ operator }) => operator.reset(id)),
    'tasks.cancel': ({ id, reason }, peer) => within(peer, ({ operator }) => operator.cancel(id, reason)),
    'tasks.remove': ({ id }, peer) => within(peer, async ({ operator }) => ({ removed: await operator.remove(id) })),
    'tasks.archive': ({ id }, peer) => within(peer, async ({ operator }) => ({ archived: await operator.archive(id) })),
    'slaves.list': (_, peer) => within(peer, ({ operator }) => operator.slaves()),
    'slaves.drain': ({ name: slave }, peer) => within(peer, ({ operator }) => operator.drain(slave)),
    'slaves.resume': ({ name: slave }, peer) => within(peer, ({ operator }) => operator.resume(slave)),
  };
}

/** The peer is told of the end of a task from here on. One that ended since it was looked at is looked at again. */
async function follow<V extends TaskView | null>(
  { leader, submitters }: Reign,
  peer: RpcPeer,
  view: V,
): Promise<TaskView | V> {
  submitters.answered(peer, view);
  if (view?.finishedAt !== null || leader.dispatcher.get(view.id) !== undefined) return view;
  return (await leader.get(view.id)) ?? view;
}

function slaveName(peer: RpcPeer): string {
  return peer.hello.name;
}
