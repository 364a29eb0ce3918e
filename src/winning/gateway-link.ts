import { on } from 'node:events';
import { type ChannelMessage, LotusConnection } from '../chain/lotus-connection.ts';
import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { shownUrl } from '../config/shown-url.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
import { formatAddress, idAddress } from '../filecoin/address.ts';
import type { Logger } from '../telemetry/logger.ts';
import { gatewayEvent, responseJson, type WinningProof } from './gateway-json.ts';
import { gatewayUrls } from './gateway-url.ts';

export interface GatewayRequest {
  /** Unchecked. */
  readonly payload: unknown;
  /** Aborts when the channel ends: an answer then finds nobody. */
  readonly signal: AbortSignal;
  /**
   * @param answer proofs, or what went wrong
   * @throws CodedError `chain-unavailable`, `chain-error` (the gateway does not wait for it any more), `time-limit`
   */
  readonly respond: (answer: readonly WinningProof[] | string) => Promise<void>;
}

export interface GatewayLinkInit {
  readonly url: string;
  readonly token: string | undefined;
  readonly minerId: number;
  readonly onRequest: (request: GatewayRequest) => void;
  /** Whether the gateway would ask us now. */
  readonly onChange: (isListening: boolean) => void;
}

/** sophon-gateway passes connections on by this header; `venus-shared/api/gateway/v2/client_gen.go`. */
const GATEWAY = {
  namespace: 'Gateway',
  title: 'gateway',
  headers: { 'X-VENUS-API-NAMESPACE': 'gateway.IGateway' },
} as const;
const CALL_LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 500;
/** Short against an epoch. */
const MAX_PAUSE_MS = 10_000;

/** Listens at one gateway for requests to one miner, and comes back whenever that ends, until the signal. */
export async function listenAtGateway(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: GatewayLinkInit,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = components;
  const { url, minerId } = init;
  let pauseMs = FIRST_PAUSE_MS;
  const onChange = (isListening: boolean): void => {
    if (isListening) pauseMs = FIRST_PAUSE_MS;
    init.onChange(isListening);
  };
  while (!signal.aborted) {
    try {
      await listenOnce(components, { ...init, onChange }, signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn(
        { gateway: shownUrl(url), minerId, error: errorText(error), pauseMs },
        'gateway: not listening, trying again',
      );
    }
    onChange(false);
    await clock.sleep(pauseMs, signal).catch(() => {});
    pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
  }
}

/**
 * Connects, and leaves again without a word.
 * @throws CodedError `chain-unavailable`
 */
export async function reachGateway(
  clock: Clock,
  { url, token }: { readonly url: string; readonly token?: string },
): Promise<void> {
  const connection = await connect(clock, url, token, new AbortController().signal);
  connection.close();
}

/** Throws when it ends. */
async function listenOnce(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  { url, token, minerId, onRequest, onChange }: GatewayLinkInit,
  signal: AbortSignal,
): Promise<never> {
  const connection = await connect(clock, url, token, signal);
  const over = new AbortController();
  const call = (method: string, params: readonly unknown[]) =>
    withTimeLimit(clock, CALL_LIMIT_MS, `the gateway (${method})`, connection.request(method, params));
  // Listened to before the request: the first event comes right behind its answer.
  const messages = on(connection.events, 'message', { signal, close: ['close'] });
  try {
    const policy = { MinerAddress: formatAddress(idAddress(minerId)) };
    const { result: channel } = await call('ListenProofEvent', [policy]);
    for await (const [message] of messages as AsyncIterable<[ChannelMessage]>) {
      if (message.channel !== channel) continue;
      if (!('value' in message)) throw new CodedError('chain-unavailable', 'the gateway closed the channel');
      const event = gatewayEvent.safeParse(message.value).data;
      if (event?.Method === 'InitConnect') {
        logger.info({ gateway: shownUrl(url), minerId }, 'gateway: listening for blocks that were won');
        onChange(true);
      } else if (event?.Method === 'ComputeProof') {
        const { Id: id, Payload: payload } = event;
        onRequest({
          payload,
          signal: over.signal,
          respond: async (answer) => {
            await call('ResponseProofEvent', [responseJson(id, answer)]);
          },
        });
      } else
        logger.warn({ gateway: shownUrl(url), minerId, method: event?.Method }, 'gateway: an event that is not known');
    }
    throw new CodedError('chain-unavailable', 'the connection to the gateway was lost');
  } finally {
    over.abort(new CodedError('gateway-lost', 'the gateway that asked is gone'));
    await messages.return?.();
    connection.close();
  }
}

/** By the first path of its API that the gateway has. */
async function connect(
  clock: Clock,
  url: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<LotusConnection> {
  let failure: unknown;
  for (const one of gatewayUrls(url)) {
    try {
      return await LotusConnection.open(clock, { url: one, token, service: GATEWAY }, signal);
    } catch (error) {
      failure = error;
      if (!(error instanceof CodedError && error.data.missing === true)) break;
    }
  }
  throw failure;
}
