import type { Kind } from './kind.ts';
import { shownUrl } from './shown-url.ts';

/** Where a service listens: scheme, host and port, with the path only where one was written. */
export interface Endpoint {
  readonly url: string;
  readonly token?: string;
}

/** The node's own default: an endpoint without a scheme is reached over WebSocket. */
const DEFAULT_SCHEME = 'ws';

/**
 * Reads the four ways in which Filecoin services are named, each optionally after `token:`: a multiaddr
 * (`/ip4/127.0.0.1/tcp/1234/ws`), a URL, and bare `host:port`. Undefined when it is none of them.
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  const trimmed = text.trim();
  const plain = endpointUrl(trimmed);
  if (plain !== undefined) return { url: plain };
  // A token has no colon or slash (a JWT is base64url and dots), so the first colon ends it.
  const colon = trimmed.indexOf(':');
  const url = colon > 0 && !/[\s/]/.test(trimmed.slice(0, colon)) ? endpointUrl(trimmed.slice(colon + 1)) : undefined;
  return url === undefined ? undefined : { url, token: trimmed.slice(0, colon) };
}

export const endpoint: Kind<Endpoint> = {
  accepts: "a multiaddr such as '/ip4/127.0.0.1/tcp/1234/ws', a URL, or 'token:' and one of these",
  read: (found) => (typeof found === 'string' ? parseEndpoint(found) : undefined),
  secret: true,
  show: ({ url, token }) => `${shownUrl(url)}${token === undefined ? '' : ' with a token'}`,
};

function endpointUrl(text: string): string | undefined {
  if (text.startsWith('/')) return multiaddrUrl(text);
  if (/^(?:wss?|https?):\/\//i.test(text)) return checkedUrl(text);
  return /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d+$/i.test(text) ? checkedUrl(`${DEFAULT_SCHEME}://${text}`) : undefined;
}

function multiaddrUrl(text: string): string | undefined {
  const match = /^\/(ip4|ip6|dns|dns4|dns6|dnsaddr)\/([^/]+)\/tcp\/(\d+)(?:\/(ws|wss|http|https))?\/?$/.exec(text);
  if (match === null) return undefined;
  const [, protocol, host, port, scheme = DEFAULT_SCHEME] = match;
  return checkedUrl(`${scheme}://${protocol === 'ip6' ? `[${host}]` : host}:${port}`);
}

function checkedUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const port = Number(/:(\d+)(?:[/?]|$)/.exec(text.replace(/^\w+:\/\//, ''))?.[1] ?? 1);
  return port > 0 ? text.replace(/\/+$/, '') : undefined;
}
