import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { CodedError } from '../errors/coded-error.ts';
import { type Scope, scopes } from './methods.ts';
import { scopesOf, type Token } from './tokens.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * A listener that others reach needs a token.
 * @throws CodedError `open-listener`
 */
export function assertClosed(init: {
  readonly host: string;
  readonly tokens: readonly Token[];
  readonly insecure: boolean;
}): void {
  const { host, tokens, insecure } = init;
  const family = isIP(host);
  const inside = host === 'localhost' || (family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4'));
  if (inside || insecure || tokens.length > 0) return;
  throw new CodedError(
    'open-listener',
    `listening on ${host} lets any machine in, and no token is set: name a token file in [server] token_file ` +
      '(or set WDPOST_TOKEN), or say [server] insecure = true',
  );
}

/** Why an upgrade request is turned away, or what it may do. */
export type Admission = { readonly scopes: ReadonlySet<Scope> } | { readonly status: string; readonly message: string };

export function admit(request: IncomingMessage, tokens: readonly Token[]): Admission {
  // Our clients are no browsers; a page that a user of this machine opens must not reach a loopback listener.
  if (request.headers.origin !== undefined) {
    return { status: '403 Forbidden', message: 'requests of web pages are not answered' };
  }
  if (tokens.length === 0) return { scopes: new Set(scopes) };
  const shown = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const granted = shown === undefined ? undefined : scopesOf(tokens, shown);
  if (granted !== undefined) return { scopes: granted };
  const problem = shown === undefined ? 'no token was shown' : 'the token is not known here';
  return {
    status: '401 Unauthorized',
    message: `${problem}: set token_file or WDPOST_TOKEN to a token of this master`,
  };
}

/** Ends an upgrade request with a one-line body. */
export function turnAway(socket: Duplex, status: string, message: string): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
