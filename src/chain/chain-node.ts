import type { Clock } from '../clock/clock.ts';
import { shownUrl } from '../config/shown-url.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CatchingUp } from './catching-up.ts';
import type { NodeFacts } from './choose-node.ts';
import type { EpochClock } from './epoch-clock.ts';
import { HeadAge } from './head-age.ts';
import { headStream } from './head-stream.ts';
import { LotusClient } from './lotus-client.ts';
import type { LotusConnection, NodeAddress } from './lotus-connection.ts';
import type { HeadChange, TipSet } from './tipset.ts';

/** A node that left a call unanswered is not asked first for so long. */
const FAILING_MS = 60_000;

export interface ChainNodeInit extends NodeAddress {
  readonly admit: (connection: LotusConnection) => Promise<void>;
  /** Longest silence of its heads before it is asked. */
  readonly silenceMs: number;
  /** Of the network, once it is known and where it has one. */
  readonly epochClock: () => EpochClock | undefined;
  /** It is connected or not, or left a call unanswered. */
  readonly onChange: () => void;
}

/** One chain node and what is known of its health. */
export class ChainNode {
  readonly url: string;
  readonly client: LotusClient;
  /** Resolves when it was connected to, or could not be, for the first time. */
  readonly tried: Promise<void>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #silenceMs: number;
  readonly #epochClock: ChainNodeInit['epochClock'];
  readonly #onChange: () => void;
  #trouble: unknown = 'not connected yet';
  #troubleSince: number | undefined;
  #head: TipSet | undefined;
  #headSeen: number | undefined;
  #catchingUp = new CatchingUp();
  #isCatchingUp = false;
  readonly #age = new HeadAge();
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: ChainNodeInit) {
    this.url = init.url;
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#silenceMs = init.silenceMs;
    this.#epochClock = init.epochClock;
    this.#onChange = init.onChange;
    this.#troubleSince = this.#clock.monotonic();
    let onTried = () => {};
    this.tried = new Promise((resolve) => {
      onTried = resolve;
    });
    this.client = new LotusClient(components, {
      url: init.url,
      token: init.token,
      admit: init.admit,
      onChange: (trouble) => {
        this.#trouble = trouble;
        this.#troubleSince = trouble === undefined ? undefined : (this.#troubleSince ?? this.#clock.monotonic());
        onTried();
        init.onChange();
      },
    });
  }

  /** The newest head it told of, on this connection or an earlier one, and when, in monotonic milliseconds. */
  get head(): { readonly tipSet: TipSet; readonly seen: number } | undefined {
    return this.#head && this.#headSeen !== undefined ? { tipSet: this.#head, seen: this.#headSeen } : undefined;
  }

  /** Why it is away, and for how many milliseconds. */
  get away(): { readonly ms: number; readonly reason: string } | undefined {
    if (this.#troubleSince === undefined) return undefined;
    return { ms: this.#clock.monotonic() - this.#troubleSince, reason: errorText(this.#trouble) };
  }

  get facts(): NodeFacts {
    return {
      isConnected: this.#troubleSince === undefined,
      height: this.#head?.height,
      isCatchingUp: this.#isCatchingUp,
      age: this.#age.epochs,
      isSteady: this.#age.isSteady,
      isFailing: this.#clock.monotonic() - this.#failedAt < FAILING_MS,
    };
  }

  /** It had a call and gave no answer. */
  onUnanswered(): void {
    this.#failedAt = this.#clock.monotonic();
    this.#onChange();
  }

  /** Its head changes, until the signal ends them. */
  async *heads(signal: AbortSignal): AsyncGenerator<HeadChange[], void, undefined> {
    const init = {
      client: this.client,
      silenceMs: this.#silenceMs,
      onTrouble: (err: unknown) => {
        // Of a connection that is lost or not made the client tells.
        if (!this.facts.isConnected) return;
        this.#logger.warn({ err, url: shownUrl(this.url) }, 'subscription to head changes failed, subscribing again');
        this.onUnanswered();
      },
    };
    for await (const changes of headStream({ clock: this.#clock }, init, signal)) {
      const head = changes.findLast((change) => change.type !== 'revert')?.tipSet;
      if (head !== undefined) {
        this.#head = head;
        this.#headSeen = this.#clock.monotonic();
        const now = this.#clock.now();
        this.#isCatchingUp = this.#catchingUp.isCatchingUp(head, now);
        const epoch = this.#epochClock()?.(now);
        if (epoch !== undefined) this.#age.observe(epoch - head.height);
      }
      yield changes;
    }
  }
}
