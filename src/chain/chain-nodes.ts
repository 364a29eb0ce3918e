import { EventEmitter, on } from 'node:events';
import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { shownUrl } from '../config/shown-url.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ChainNode } from './chain-node.ts';
import { inOrderOfUse, isAhead, maySpeak, type Standing, standingOf } from './choose-node.ts';
import { type EpochClock, epochClock } from './epoch-clock.ts';
import type { LotusConnection, NodeAddress } from './lotus-connection.ts';
import { type LotusMethod, type LotusResult, parseResult } from './lotus-results.ts';
import type { NodeHealth } from './node-health.ts';
import type { HeadChange, TipSet } from './tipset.ts';

/** A head that nobody told of again for so long is no measure any more: the chain may have been rewound. */
const HIGHEST_LASTS_MS = 600_000;
const GENESIS_LIMIT_MS = 10_000;

export interface ChainNodesInit {
  /** In order of preference. */
  readonly nodes: readonly NodeAddress[];
  readonly silenceMs: number;
}

/** Chain nodes of one network, of which one is in use and the others stand by. */
export class ChainNodes {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #nodes: readonly ChainNode[];
  readonly #events = new EventEmitter<{ heads: [HeadChange[]] }>();
  #genesis: string | undefined;
  #epochClock: EpochClock | undefined;
  #inUse = 0;

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: ChainNodesInit) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#nodes = init.nodes.map(
      (address, index) =>
        new ChainNode(components, {
          ...address,
          silenceMs: init.silenceMs,
          epochClock: () => this.#epochClock,
          admit: (connection) => this.#admit(address.url, index, connection),
          onChange: () => this.#choose(),
        }),
    );
  }

  /** From now on nodes with another genesis block are not used. */
  pin(genesis: string): void {
    const hasOthers = this.#genesis !== undefined && this.#genesis !== genesis;
    this.#genesis = genesis;
    if (hasOthers) for (const { client } of this.#nodes) client.reconnect();
  }

  /**
   * Asks the node in use, and the others where it gives no answer. Where it refuses, one other node is heard before that counts: a
   * refusal may come from a block that it lacks.
   * @throws CodedError as `Chain`
   */
  async read<M extends LotusMethod>(method: M, params: readonly unknown[]): Promise<LotusResult<M>> {
    const ask = (node: ChainNode) => this.#ask(node, method, params);
    return await this.#untilAnswered(async (node) => {
      try {
        return await ask(node);
      } catch (error) {
        const [other] = this.#ordered().filter((one) => one !== node && this.#standing(one) === 'fit');
        if (errorCode(error) === 'chain-unavailable' || other === undefined) throw error;
        const answer = await ask(other).catch(() => undefined);
        if (answer === undefined) throw error;
        this.#logger.warn(
          { url: node.url, method, reason: errorText(error) },
          'another node answered what this one refused',
        );
        return answer;
      }
    });
  }

  /** The first node alone, and once: for an effect that another node would have a second time. */
  async once<M extends LotusMethod>(method: M, params: readonly unknown[]): Promise<LotusResult<M>> {
    const [node] = this.#nodes;
    if (node === undefined) throw new CodedError('chain-unavailable', 'there is no chain node');
    return await this.#ask(node, method, params);
  }

  /** As `read`, but what the node in use says counts. For effects that may be repeated. */
  async write<M extends LotusMethod>(method: M, params: readonly unknown[]): Promise<LotusResult<M>> {
    return await this.#untilAnswered((node) => this.#ask(node, method, params));
  }

  /** Asks in the order in which they are configured: the first that answers with what `accepts` takes. For wallets. */
  async first<M extends LotusMethod>(
    method: M,
    params: readonly unknown[],
    accepts: (answer: LotusResult<M>) => boolean = () => true,
  ): Promise<LotusResult<M>> {
    const up = (node: ChainNode) => (node.facts.isConnected ? 0 : 1);
    const failures: unknown[] = [];
    let other: { readonly answer: LotusResult<M> } | undefined;
    for (const node of this.#nodes.toSorted((left, right) => up(left) - up(right))) {
      try {
        const answer = await this.#ask(node, method, params);
        if (accepts(answer)) return answer;
        other ??= { answer };
      } catch (error) {
        failures.push(error);
      }
    }
    if (other !== undefined && failures.length === 0) return other.answer;
    throw failures[0];
  }

  /** Head changes of the node in use; a change of nodes begins with a `current`. */
  async *heads(signal: AbortSignal): AsyncGenerator<HeadChange[], void, undefined> {
    const ended = new AbortController();
    const ending = AbortSignal.any([signal, ended.signal]);
    const changes = on(this.#events, 'heads', { signal: ending });
    const following = this.#nodes.map((node) => this.#follow(node, ending));
    try {
      for await (const [change] of changes as AsyncIterable<[HeadChange[]]>) yield change;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ended.abort();
      await Promise.all(following);
    }
  }

  health(): NodeHealth[] {
    const highest = this.#highest();
    return this.#nodes.map((node, index): NodeHealth => {
      const { head, away } = node;
      return {
        url: node.url,
        isInUse: index === this.#inUse,
        standing: standingOf(node.facts, highest),
        ...(head && {
          head: head.tipSet,
          silentMs: this.#clock.monotonic() - head.seen,
          ...(node.facts.age !== undefined && { age: node.facts.age }),
          behindBy: Math.max(0, (highest ?? head.tipSet.height) - head.tipSet.height),
        }),
        ...(away && { awayMs: away.ms, reason: away.reason }),
      };
    });
  }

  close(): void {
    for (const { client } of this.#nodes) client.close();
  }

  async #admit(url: string, index: number, connection: LotusConnection): Promise<void> {
    // Where nothing else tells the network, the first node does if it can.
    if (this.#genesis === undefined && index > 0) await this.#nodes[0]?.tried;
    const genesis = await this.#genesisOf(connection).catch((cause: unknown) => {
      throw new CodedError('chain-unavailable', `chain node ${shownUrl(url)} does not tell its genesis block`, {
        cause,
      });
    });
    const found = genesis.key.join();
    this.#genesis ??= found;
    if (found === this.#genesis) {
      this.#epochClock = epochClock(genesis);
      return;
    }
    throw new CodedError(
      'chain-unavailable',
      `chain node ${url} is of another network: its genesis block is ${found}, ours is ${this.#genesis}; check its address`,
      { otherNetwork: true },
    );
  }

  async #genesisOf(connection: LotusConnection): Promise<TipSet> {
    const asked = connection.request('ChainGetGenesis', []);
    const { result } = await withTimeLimit(this.#clock, GENESIS_LIMIT_MS, 'the chain node', asked);
    return parseResult('ChainGetGenesis', result);
  }

  async #follow(node: ChainNode, signal: AbortSignal): Promise<void> {
    for await (const changes of node.heads(signal)) {
      const before = this.#inUse;
      this.#choose();
      // A change to this node has told its head.
      if (before !== this.#inUse) continue;
      if (node !== this.#nodes[this.#inUse]) continue;
      if (maySpeak(node.facts, this.#standing(node))) this.#events.emit('heads', changes);
    }
  }

  /** Puts another node in use where that is better. */
  #choose(): void {
    const highest = this.#highest();
    const standings = this.#nodes.map((node) => standingOf(node.facts, highest));
    const [chosen = 0] = inOrderOfUse(standings, this.#inUse);
    const from = this.#nodes[this.#inUse];
    const to = this.#nodes[chosen];
    if (from === to || to === undefined) return;
    this.#logger.warn(
      { from: from?.url, was: standings[this.#inUse], to: to.url },
      'another chain node is used from now on',
    );
    this.#inUse = chosen;
    const head = to.head?.tipSet;
    if (head !== undefined && maySpeak(to.facts, standings[chosen] ?? 'away'))
      this.#events.emit('heads', [{ type: 'current', tipSet: head }]);
  }

  /** The highest head of late, of nodes that are away now as well: one that comes instead of them may be behind. */
  #highest(): number | undefined {
    if (this.#nodes.length === 1) return undefined;
    const now = this.#clock.monotonic();
    const late = this.#nodes.filter(({ head }) => head !== undefined && now - head.seen < HIGHEST_LASTS_MS);
    const real = late.filter(({ facts }) => !isAhead(facts));
    const heights = (real.length > 0 ? real : late).flatMap(({ head }) => head?.tipSet.height ?? []);
    return heights.length === 0 ? undefined : Math.max(...heights);
  }

  #standing(node: ChainNode): Standing {
    return standingOf(node.facts, this.#highest());
  }

  #ordered(): ChainNode[] {
    const highest = this.#highest();
    const order = inOrderOfUse(
      this.#nodes.map((node) => standingOf(node.facts, highest)),
      this.#inUse,
    );
    return order.flatMap((index) => this.#nodes[index] ?? []);
  }

  async #ask<M extends LotusMethod>(node: ChainNode, method: M, params: readonly unknown[]): Promise<LotusResult<M>> {
    try {
      return await node.client.call(method, params);
    } catch (error) {
      if (errorCode(error) === 'chain-unavailable' && node.facts.isConnected) node.onUnanswered();
      throw error;
    }
  }

  /** One round through the nodes; a second one where a connection was lost with the question under way. */
  async #untilAnswered<T>(ask: (node: ChainNode) => Promise<T>): Promise<T> {
    const failures = new Map<ChainNode, unknown>();
    for (const round of [1, 2]) {
      for (const node of this.#ordered()) {
        try {
          return await ask(node);
        } catch (error) {
          if (errorCode(error) !== 'chain-unavailable') throw error;
          failures.set(node, error);
        }
      }
      if (round === 2 || ![...failures.values()].some(wasUnderWay)) break;
    }
    const [first, ...others] = failures.values();
    throw isFinal(first) ? (others.find((error) => !isFinal(error)) ?? first) : first;
  }
}

/** Somebody has to act: no later try can help. */
function isFinal(error: unknown): boolean {
  return error instanceof CodedError && (error.data.refused === true || error.data.otherNetwork === true);
}

function wasUnderWay(error: unknown): boolean {
  return error instanceof CodedError && error.data.lost === true;
}
