import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type Scope, scopes } from './methods.ts';
import { isForwarded, isSameMachine } from './same-machine.ts';
import { isLoopback } from './socket-address.ts';
import type { ServerTls } from './tls.ts';
import { scopesOf, type Token } from './tokens.ts';

/** What a listener asks of those who connect. */
export interface Lock {
  readonly tokens: readonly Token[];
  readonly tls?: ServerTls | undefined;
  /** Where neither tokens nor an authority are set: everybody may come in, not only who is on this machine. */
  readonly insecure: boolean;
}

/** Why a listener on an outside address lets nobody in from there; undefined where it does. */
export function whyAlone(init: Lock & { readonly host: string }): string | undefined {
  const { host, tokens, tls, insecure } = init;
  if (isLoopback(host) || insecure || tokens.length > 0 || tls?.clientCa !== undefined) return undefined;
  return (
    'no token is set, so only programs of this machine are let in: name a token file in [server] token_file ' +
    '(or set WDPOST_TOKEN here and there), or a client authority in tls_client_ca, or say [server] insecure = true'
  );
}

/** Why an upgrade request is turned away, or what it may do. */
export type Admission = { readonly scopes: ReadonlySet<Scope> } | { readonly status: string; readonly message: string };

/**
 * A token says what its bearer may do; without one, a client certificate is good for everything. A listener that asks for neither is
 * for this machine, unless it was said to be insecure.
 */
export function admit(request: IncomingMessage, lock: Lock): Admission {
  const { tokens, tls, insecure } = lock;
  // Our clients are no browsers; a page that a user of this machine opens must not reach a loopback listener.
  if (request.headers.origin !== undefined) {
    return { status: '403 Forbidden', message: 'requests of web pages are not answered' };
  }
  const everything = { scopes: new Set(scopes) };
  const asksCertificate = tls?.clientCa !== undefined;
  if (tokens.length === 0 && !asksCertificate) {
    if (insecure || isSameMachine(request)) return everything;
    const how = isForwarded(request) ? ', and this request came through a proxy' : '';
    return {
      status: '401 Unauthorized',
      message: `no token is set here, so only programs of the same machine are let in${how}: set WDPOST_TOKEN here and there`,
    };
  }
  // Without tokens here, the one that a client shows is meant for another master.
  const shown = tokens.length === 0 ? undefined : /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const granted = shown === undefined ? undefined : scopesOf(tokens, shown);
  if (granted !== undefined) return { scopes: granted };
  if (shown === undefined && asksCertificate && request.socket instanceof TLSSocket && request.socket.authorized) {
    return everything;
  }
  return { status: '401 Unauthorized', message: refusal(shown !== undefined, tokens.length > 0, asksCertificate) };
}

function refusal(shown: boolean, byToken: boolean, byCertificate: boolean): string {
  const help = [
    ...(byToken ? ['set token_file or WDPOST_TOKEN to a token of this master'] : []),
    ...(byCertificate ? ['set tls_cert and tls_key to a certificate of its client authority'] : []),
  ].join(', or ');
  if (shown) return `the token is not known here: ${help}`;
  const missing = [...(byToken ? ['token'] : []), ...(byCertificate ? ['good certificate'] : [])].join(' and no ');
  return `no ${missing} was shown: ${help}`;
}

/** Ends an upgrade request with a one-line body. */
export function turnAway(socket: Duplex, status: string, message: string): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
