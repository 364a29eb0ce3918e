import type { Clock } from '../clock/clock.ts';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { Alerts } from '../telemetry/alerts.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type ProofRequest, proofRequest, type WinningProof } from './gateway-json.ts';
import type { GatewayRequest } from './gateway-link.ts';
import { type ProveComponents, proveRequest } from './prove-request.ts';
import type { SharedWork } from './shared-work.ts';

export interface AnswerComponents extends ProveComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alerts: Alerts;
  readonly metrics: Pick<Metrics, 'winning'>;
  /** A node asks every gateway that it knows. */
  readonly shared: SharedWork<WinningProof[]>;
}

export interface AnswerInit {
  readonly minerId: number;
  readonly limitMs: number;
  /** Ends it without an answer. */
  readonly signal: AbortSignal;
}

/** Answers one request in time and counts how it ended. A proof that is late is of no use, and is not sent. */
export async function answerRequest(
  components: AnswerComponents,
  request: GatewayRequest,
  { minerId, limitMs, signal }: AnswerInit,
): Promise<void> {
  const { clock, logger, alerts, metrics, shared } = components;
  const since = clock.monotonic();
  const tooLate = new AbortController();
  const callOff = clock.after(limitMs, () =>
    tooLate.abort(new CodedError('time-limit', `not done within ${limitMs} ms`)),
  );
  const condition = `winning-post/${minerId}`;
  const tookMs = () => Math.round(clock.monotonic() - since);
  let proofs: WinningProof[] | undefined;
  metrics.winning('won', minerId);
  try {
    const over = AbortSignal.any([signal, tooLate.signal, request.signal]);
    const asked = readRequest(request.payload);
    const leftMs = () => limitMs - (clock.monotonic() - since);
    proofs = await shared.get(keyOf(minerId, asked), over, (unwanted) =>
      proveRequest(components, asked, { minerId, leftMs, signal: unwanted }),
    );
    await request.respond(proofs);
    metrics.winning('answered', minerId, tookMs());
    alerts.resolve(condition);
    logger.info({ minerId, epoch: asked.epoch, tookMs: tookMs() }, 'winning post: proof answered');
  } catch (error) {
    if (signal.aborted) return;
    const isLate = tooLate.signal.aborted || (proofs === undefined && errorCode(error) === 'time-limit');
    const outcome = isLate ? 'late' : 'failed';
    const reason = errorText(error);
    metrics.winning(outcome, minerId);
    logger.error({ minerId, outcome, tookMs: tookMs(), reason }, 'winning post: no proof, the block is lost');
    const what = outcome === 'late' ? 'its proof was too late' : 'no proof was made';
    alerts.raise(condition, {
      class: `winning-post-${outcome}`,
      severity: 'critical',
      minerId,
      text: `a block that miner ${minerId} had won is lost, ${what}: ${reason}`,
    });
    // So that the node waits no longer; where the gateway is gone, nobody waits.
    await request.respond(reason).catch(() => {});
  } finally {
    callOff();
    // Lets go of the signals that outlive it.
    tooLate.abort();
  }
}

/** The same for requests that the same proof answers. */
function keyOf(minerId: number, { sectors, randomness }: ProofRequest): string {
  return JSON.stringify([minerId, Buffer.from(randomness).toString('hex'), sectors]);
}

function readRequest(payload: unknown) {
  const { data, error } = proofRequest.safeParse(payload);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  const where = issue?.path.join('.') || 'payload';
  throw new CodedError('bad-request', `the gateway's request has a bad ${where}: ${issue?.message}`);
}
