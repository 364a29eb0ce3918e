import { on } from 'node:events';
import type { Clock } from '../clock/clock.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { LotusClient } from './lotus-client.ts';
import type { ChannelMessage } from './lotus-connection.ts';
import { parseResult, unknownAnswer } from './lotus-results.ts';
import type { HeadChange } from './tipset.ts';
import { headChangesJson } from './tipset-json.ts';

const RESUBSCRIBE_PAUSE_MS = 500;

export interface HeadStreamInit {
  readonly client: LotusClient;
  /** After this long without a head the node is asked for it: one that has another than it told is subscribed to anew. */
  readonly silenceMs: number;
  /** The subscription ended, for this reason. */
  readonly onTrouble: (error: unknown) => void;
}

/** Head changes of a node that may go away and come back; each subscription starts with a `current`. Ends with the signal. */
export async function* headStream(
  { clock }: { readonly clock: Clock },
  init: HeadStreamInit,
  signal: AbortSignal,
): AsyncGenerator<HeadChange[], void, undefined> {
  for (;;) {
    const silent = new AbortController();
    let last: HeadChange | undefined;
    let callOff = () => {};
    const listen = () => {
      callOff();
      callOff = clock.after(init.silenceMs, () => {
        askAfterSilence(init.client, last).then(listen, (error: unknown) => silent.abort(error));
      });
    };
    try {
      listen();
      for await (const changes of subscription(init.client, AbortSignal.any([signal, silent.signal]))) {
        last = changes.at(-1);
        listen();
        yield changes;
      }
    } catch (error) {
      if (signal.aborted) return;
      init.onTrouble(silent.signal.aborted ? silent.signal.reason : error);
    } finally {
      callOff();
    }
    try {
      await clock.sleep(RESUBSCRIBE_PAUSE_MS, signal);
    } catch {
      return;
    }
  }
}

/** @throws CodedError `chain-unavailable` when the node has another head than the last it told of, or does not say */
async function askAfterSilence(client: LotusClient, last: HeadChange | undefined): Promise<void> {
  const head = await client.call('ChainHead', []);
  if (last?.type !== 'revert' && head.key.join() === last?.tipSet.key.join()) return;
  throw new CodedError('chain-unavailable', `the chain node is at height ${head.height} and did not tell`);
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
