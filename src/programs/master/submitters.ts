import type { Clock } from '../../clock/clock.ts';
import type { TaskView } from '../../rpc/methods.ts';
import type { RpcPeer } from '../../rpc/peer-session.ts';

/** One that was away for longer asks anew when it comes again, and a manager that lives asks at each head. */
const LAPSE_MS = 60_000;
/** A day of a large provider is half of it; a proof is refused at the next head. */
const MOST_ENDED = 10_000;

/** A program over all its connections. */
interface Submitter {
  readonly peers: Set<RpcPeer>;
  readonly tasks: Set<string>;
  /** Those that ended, the newest last. */
  readonly ended: Set<string>;
  /** On the monotonic clock, while no connection of it is there. */
  leftAt: number;
}

/** Who wants which tasks: it hears that they are finished, and nobody else cancels them or refuses their proofs. */
export class Submitters {
  readonly #clock: Clock;
  readonly #since: number;
  readonly #submitters = new Map<string | RpcPeer, Submitter>();

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
    this.#since = this.#clock.monotonic();
  }

  add(peer: RpcPeer): void {
    const key = keyOf(peer);
    const submitter = this.#submitters.get(key) ?? { peers: new Set(), tasks: new Set(), ended: new Set(), leftAt: 0 };
    submitter.peers.add(peer);
    this.#submitters.set(key, submitter);
    void peer.connection.closed.then(() => {
      submitter.peers.delete(peer);
      submitter.leftAt = this.#clock.monotonic();
      this.#forgetLapsed();
    });
  }

  /** Called with every answer about a task. */
  answered(peer: RpcPeer, view: TaskView | null): void {
    const submitter = this.#submitters.get(keyOf(peer));
    if (view === null || submitter === undefined) return;
    if (view.finishedAt === null) submitter.tasks.add(view.id);
    else if (this.isNew) addEnded(submitter, view.id);
  }

  /** Called with every answer to a submission. */
  submitted(peer: RpcPeer, view: TaskView): void {
    const submitter = this.#submitters.get(keyOf(peer));
    if (view.finishedAt !== null && submitter !== undefined) addEnded(submitter, view.id);
  }

  /** Whether it wanted a task, which may have ended. */
  hasAsked(peer: RpcPeer, id: string): boolean {
    const submitter = this.#submitters.get(keyOf(peer));
    return submitter?.tasks.has(id) === true || submitter?.ended.has(id) === true;
  }

  /** It does not want the task any more. */
  withdraw(peer: RpcPeer, id: string): void {
    this.#submitters.get(keyOf(peer))?.tasks.delete(id);
  }

  /** Whether anybody wants it, as far as is known. */
  want(id: string): boolean {
    this.#forgetLapsed();
    return [...this.#submitters.values()].some(({ tasks }) => tasks.has(id));
  }

  /** This master has not led for long enough to know who wants what was asked for before. */
  get isNew(): boolean {
    return this.#clock.monotonic() - this.#since < LAPSE_MS;
  }

  tell(id: string, state: TaskView['state']): void {
    if (state === 'waiting' || state === 'running') return;
    for (const submitter of this.#submitters.values()) {
      if (!submitter.tasks.delete(id)) continue;
      addEnded(submitter, id);
      for (const { connection } of submitter.peers) connection.notify('task.changed', { id, state });
    }
  }

  #forgetLapsed(): void {
    const before = this.#clock.monotonic() - LAPSE_MS;
    for (const [key, { peers, leftAt }] of this.#submitters) {
      if (peers.size === 0 && leftAt <= before) this.#submitters.delete(key);
    }
  }
}

function addEnded({ ended }: Submitter, id: string): void {
  ended.add(id);
  const [oldest] = ended;
  if (ended.size > MOST_ENDED && oldest !== undefined) ended.delete(oldest);
}

/** One of an older version does not say which program it is. */
function keyOf(peer: RpcPeer): string | RpcPeer {
  return peer.hello.instance ?? peer;
}
