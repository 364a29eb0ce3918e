import { on } from 'node:events';
import type { Clock } from '../clock/clock.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LotusClient } from './lotus-client.ts';
import type { ChannelMessage } from './lotus-connection.ts';
import { parseResult, unknownAnswer } from './lotus-results.ts';
import type { HeadChange } from './tipset.ts';
import { headChangesJson } from './tipset-json.ts';

const RESUBSCRIBE_PAUSE_MS = 500;

/** Head changes of a node that may go away and come back; each subscription starts with a `current`. Ends with the signal. */
export async function* headStream(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  client: LotusClient,
  signal: AbortSignal,
): AsyncGenerator<HeadChange[], void, undefined> {
  for (;;) {
    try {
      yield* subscription(client, signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ err: error }, 'subscription to head changes failed');
    }
    try {
      await clock.sleep(RESUBSCRIBE_PAUSE_MS, signal);
    } catch {
      return;
    }
  }
}

/** Ends when the connection or the node's channel ends. */
async function* subscription(client: LotusClient, signal: AbortSignal): AsyncGenerator<HeadChange[], void, undefined> {
  const connection = await untilAborted(signal, client.connection());
  // Listened to before the request: the first change comes right behind its answer.
  const messages = on(connection.events, 'message', { signal, close: ['close'] });
  let cancel = () => {};
  try {
    const asked = client.limited('ChainNotify', connection.request('ChainNotify', []));
    const { id, result } = await untilAborted(signal, asked);
    cancel = () => connection.notify('xrpc.cancel', [id]);
    const channel = parseResult('ChainNotify', result);
    for await (const [message] of messages as AsyncIterable<[ChannelMessage]>) {
      if (message.channel !== channel) continue;
      if (!('value' in message)) throw new CodedError('chain-unavailable', 'the chain node closed its head channel');
      const changes = headChangesJson.safeParse(message.value);
      if (!changes.success) throw unknownAnswer('ChainNotify', changes.error);
      yield changes.data;
    }
  } finally {
    await messages.return?.();
    cancel();
  }
}

function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
