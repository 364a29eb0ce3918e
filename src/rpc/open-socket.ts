import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { CodedError, errorText } from '../errors/coded-error.ts';

const HANDSHAKE_LIMIT_MS = 10_000;
const QUOTED_BYTES = 300;

/**
 * An open WebSocket.
 * The signal closes it, whether open already or not.
 * @param url `host:port` alone means ws://
 * @throws CodedError `unauthorized` (401, 403), `refused` (any other answer, with its text), `unreachable`
 */
export function openSocket(
  url: string,
  init: { readonly token?: string | undefined; readonly maxPayloadBytes: number; readonly signal: AbortSignal },
): Promise<WebSocket> {
  const address = url.includes('://') ? url : `ws://${url}`;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address, {
      headers: init.token === undefined ? {} : { authorization: `Bearer ${init.token}` },
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      maxPayload: init.maxPayloadBytes,
      perMessageDeflate: false,
    });
    const end = (): void => socket.close();
    init.signal.addEventListener('abort', end, { once: true });
    socket.once('close', () => init.signal.removeEventListener('abort', end));
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', async (_request, response) => {
      const code = response.statusCode === 401 || response.statusCode === 403 ? 'unauthorized' : 'refused';
      reject(
        new CodedError(code, `${address} refused the connection (${response.statusCode}): ${await textOf(response)}`),
      );
      socket.terminate();
    });
    // Later errors are followed by 'close', which the connection listens to.
    socket.on('error', (cause) =>
      reject(new CodedError('unreachable', `${address} cannot be reached: ${errorText(cause)}`)),
    );
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > QUOTED_BYTES) break;
    }
  } catch {
    // Cut off: what came is said.
  }
  return text.slice(0, QUOTED_BYTES).trim().replaceAll(/\s+/g, ' ');
}
