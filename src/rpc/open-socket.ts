import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import type { ClientTls } from './tls.ts';

/** Short, since another master may be there to turn to. */
const HANDSHAKE_LIMIT_MS = 5_000;
const QUOTED_BYTES = 300;

const UNTRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT_ALTNAME_INVALID|INVALID_CA)/;

/**
 * The mask protects caches between a page's script and a server; it cost the master a tenth of taking a full task. With zeros ws
 * leaves it out on both sides.
 */
const noMask = (mask: Buffer): void => {
  mask.fill(0);
};

/** A WebSocket and the stream under it. */
export interface OpenSocket {
  readonly socket: WebSocket;
  readonly stream: Duplex;
}

/**
 * An open WebSocket.
 * The signal closes it, whether open already or not.
 * @param url ws:// or wss://
 * @throws CodedError `unauthorized` (401, 403), `refused` (any other answer, with its text), `untrusted-master` (its
 * certificate), `unreachable`
 */
export function openSocket(
  url: string,
  init: {
    readonly token?: string | undefined;
    readonly tls?: ClientTls | undefined;
    readonly maxPayloadBytes: number;
    readonly signal: AbortSignal;
  },
): Promise<OpenSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      ...init.tls,
      headers: init.token === undefined ? {} : { authorization: `Bearer ${init.token}` },
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      maxPayload: init.maxPayloadBytes,
      perMessageDeflate: false,
      generateMask: noMask,
    });
    const end = (): void => socket.close();
    init.signal.addEventListener('abort', end, { once: true });
    socket.once('close', () => init.signal.removeEventListener('abort', end));
    socket.once('upgrade', ({ socket: stream }) => socket.once('open', () => resolve({ socket, stream })));
    socket.once('unexpected-response', async (_request, response) => {
      const code = response.statusCode === 401 || response.statusCode === 403 ? 'unauthorized' : 'refused';
      const said = await textOf(response);
      const why = said === '' ? 'is it the address of a master?' : said;
      reject(new CodedError(code, `${url} refused the connection (${response.statusCode}): ${why}`));
      socket.terminate();
    });
    // Later errors are followed by 'close', which the connection listens to.
    socket.on('error', (cause) => reject(connectError(url, cause)));
  });
}

function connectError(url: string, cause: Error): CodedError {
  if (UNTRUSTED.test(errorCode(cause) ?? '')) {
    const why = `the certificate of ${url} is not trusted (${errorText(cause)})`;
    return new CodedError(
      'untrusted-master',
      `${why}: check its authority (tls_ca), its dates and the host that it names`,
    );
  }
  return new CodedError('unreachable', `${url} cannot be reached: ${errorText(cause)}`);
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
