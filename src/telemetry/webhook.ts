import type { Clock } from '../clock/clock.ts';
import { CoalescedLoop } from '../clock/coalesced-loop.ts';
import { isoTime } from '../clock/iso-time.ts';
import { errorText } from '../errors/coded-error.ts';
import type { AlertNotice } from './alerts.ts';
import type { Logger } from './logger.ts';

interface WebhookInit {
  /** May hold a secret: never logged. */
  readonly url: string;
  /** Name of this manager, told with each notice. */
  readonly manager: string;
  readonly onTold: (notice: AlertNotice) => void;
  readonly retryMs?: number;
}

const ANSWER_LIMIT_MS = 10_000;
const RETRY_MS = 15_000;
/** While the receiver is away; the oldest go first. */
const WAITING_MAX = 1_000;
/** Answers of the 400s that a later try may not get. */
const PASSING_ANSWERS = [408, 425, 429];

/**
 * POSTs notices as JSON, one at a time, each until it is taken; of one condition only the newest waits. A receiver that hangs or
 * fails holds back nothing else.
 */
export class Webhook {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #init: WebhookInit;
  readonly #waiting = new Map<string, AlertNotice>();
  readonly #closing = new AbortController();
  readonly #loop: CoalescedLoop;

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: WebhookInit) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#init = init;
    this.#loop = new CoalescedLoop(components, {
      retryMs: init.retryMs ?? RETRY_MS,
      onFailure: (error) =>
        this.#logger.warn({ reason: reasonOf(error), waiting: this.#waiting.size }, 'the alert webhook fails'),
      work: () => this.#deliver(),
    });
  }

  send(notice: AlertNotice): void {
    this.#waiting.delete(notice.id);
    this.#waiting.set(notice.id, notice);
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= WAITING_MAX) break;
      this.#waiting.delete(oldest);
    }
    this.#loop.wake();
  }

  /** What was not taken yet is given up. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop.close();
  }

  async #deliver(): Promise<void> {
    for (const [id, notice] of this.#waiting) {
      if (this.#closing.signal.aborted) return;
      const { status, ok } = await this.#post(notice);
      const isRefused = status >= 400 && status < 500 && !PASSING_ANSWERS.includes(status);
      if (!ok && !isRefused) throw new Error(`it answered ${status}`);
      if (isRefused) this.#logger.error({ alert: id, status }, 'the alert webhook refuses an alert: check its URL');
      if (this.#waiting.get(id) === notice) this.#waiting.delete(id);
      this.#init.onTold(notice);
    }
  }

  async #post(notice: AlertNotice): Promise<{ readonly status: number; readonly ok: boolean }> {
    const limit = new AbortController();
    const callOff = this.#clock.after(ANSWER_LIMIT_MS, () =>
      limit.abort(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)),
    );
    try {
      const response = await fetch(this.#init.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(noticeJson(notice, this.#init.manager)),
        signal: AbortSignal.any([limit.signal, this.#closing.signal]),
      });
      await response.body?.cancel();
      return response;
    } finally {
      callOff();
    }
  }
}

/** The form in which receivers read a notice: `miner` is the actor's number, times are ISO 8601 in UTC. */
function noticeJson(notice: AlertNotice, manager: string): object {
  const { id, class: alertClass, severity, minerId, deadline, text, since, resolved } = notice;
  return {
    id,
    class: alertClass,
    severity,
    miner: minerId ?? null,
    deadline: deadline ?? null,
    text,
    since: isoTime(since),
    resolved: resolved === undefined ? null : isoTime(resolved),
    manager,
  };
}

/** fetch says only "fetch failed" itself. */
function reasonOf(error: unknown): string {
  return errorText(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
