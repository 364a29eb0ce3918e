import type { Endpoint } from '../config/endpoint.ts';
import { shownUrl } from '../config/shown-url.ts';
import { CodedError } from '../errors/coded-error.ts';
import { type AnswerComponents, answerRequest } from './answer-request.ts';
import { listenAtGateway } from './gateway-link.ts';
import { SharedWork } from './shared-work.ts';
import { WINNING_LIMIT_MS, type WinningProver } from './winning-prover.ts';

interface Components extends Omit<AnswerComponents, 'shared'> {
  readonly prover: Pick<WinningProver, 'prove' | 'isReady'>;
}

export interface WinningServiceInit {
  readonly gateways: readonly Endpoint[];
  /** Those that blocks are won for. */
  readonly minerIds: readonly number[];
  /** For one answer. */
  readonly limitMs?: number;
}

/** A gateway or prover that is away for two epochs may cost a block. */
const AWAY_LIMIT_MS = 60_000;

/** Listens at every gateway for every miner, on a connection of its own each, and answers what they ask. */
export class WinningService {
  readonly #components: AnswerComponents & Components;
  readonly #init: WinningServiceInit;
  readonly #closing = new AbortController();
  /** Of what is away: calls off its alarm. */
  readonly #away = new Map<string, () => void>();
  #running: Promise<unknown> = Promise.resolve();

  constructor(components: Components, init: WinningServiceInit) {
    this.#components = { ...components, shared: new SharedWork() };
    this.#init = init;
  }

  start(): void {
    const { gateways, minerIds } = this.#init;
    const links = gateways.flatMap((gateway) => minerIds.map((minerId) => this.#listen(gateway, minerId)));
    this.#running = Promise.all([...links, this.#watchProver()]);
  }

  /** What is asked then is not answered any more. */
  async close(): Promise<void> {
    this.#closing.abort(new CodedError('closing', 'the manager is stopping'));
    for (const callOff of this.#away.values()) callOff();
    await this.#running;
  }

  async #listen({ url, token }: Endpoint, minerId: number): Promise<void> {
    const { signal } = this.#closing;
    const limitMs = this.#init.limitMs ?? WINNING_LIMIT_MS;
    this.#onChange(url, minerId, false);
    await listenAtGateway(
      this.#components,
      {
        url,
        token,
        minerId,
        onRequest: (request) => void answerRequest(this.#components, request, { minerId, limitMs, signal }),
        onChange: (isListening) => this.#onChange(url, minerId, isListening),
      },
      signal,
    );
  }

  #onChange(url: string, minerId: number, isListening: boolean): void {
    if (this.#closing.signal.aborted) return;
    const { clock, alerts } = this.#components;
    const condition = `gateway-away/${minerId}/${shownUrl(url)}`;
    if (isListening) {
      this.#away.get(condition)?.();
      this.#away.delete(condition);
      alerts.resolve(condition);
    } else if (!this.#away.has(condition)) {
      const raise = () =>
        alerts.raise(condition, {
          class: 'gateway-away',
          severity: 'critical',
          minerId,
          text:
            `the gateway ${shownUrl(url)} has not been reached for miner ${minerId} for a minute, so blocks that it wins may be lost: ` +
            'see that it runs, that address and token are right, and that it knows the miner',
        });
      this.#away.set(condition, clock.after(AWAY_LIMIT_MS, raise));
    }
  }

  async #watchProver(): Promise<void> {
    const { clock, alerts, prover } = this.#components;
    const { signal } = this.#closing;
    const condition = 'winning-prover';
    while (!signal.aborted) {
      await clock.sleep(AWAY_LIMIT_MS, signal).catch(() => {});
      if (signal.aborted) return;
      if (prover.isReady) alerts.resolve(condition);
      else {
        alerts.raise(condition, {
          class: condition,
          severity: 'critical',
          text: 'no prover of winning PoSt is ready, so blocks that are won are lost: the log says why; it needs parameter files of its own',
        });
      }
    }
  }
}
