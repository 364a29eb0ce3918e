import { CodedError } from '../errors/coded-error.ts';

/** Where a chain node listens, and the token that it wants. */
export interface Endpoint {
  readonly url: string;
  readonly token: string | undefined;
}

/**
 * Reads `ws://host:1234/rpc/v1`, `http(s)://…`, a multiaddress such as `/ip4/127.0.0.1/tcp/1234/http`, and each of them after
 * `<token>:`, as Lotus' FULLNODE_API_INFO has it. A missing path is /rpc/v1.
 * @throws CodedError `bad-chain-url`
 */
export function parseEndpoint(text: string): Endpoint {
  // A token (a JWT) holds neither a slash nor a colon.
  const [, token, address] = /^(?:([^:/]+):(?=\/(?:ip|dns)|\w+:\/\/))?(.*)$/s.exec(text.trim()) ?? [];
  const url = urlOf(address ?? '');
  if (url === undefined) {
    throw new CodedError(
      'bad-chain-url',
      `${JSON.stringify(redacted(text))} is not the address of a chain node; write ws://host:1234/rpc/v1 or /ip4/1.2.3.4/tcp/1234/http`,
    );
  }
  return { url, token };
}

function urlOf(address: string): string | undefined {
  const multi = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/(https?|wss?))?\/?$/.exec(address);
  const [, kind, host, port, scheme] = multi ?? [];
  const text = multi === null ? address : `${scheme ?? 'ws'}://${kind === 'ip6' ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.hostname === '' || !['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) return undefined;
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  const path = url.pathname === '/' ? '/rpc/v1' : url.pathname.replace(/\/$/, '');
  return `${secure ? 'wss' : 'ws'}://${url.host}${path}${url.search}`;
}

function redacted(text: string): string {
  return text.replace(/^[^:/]{20,}:/, '<token>:');
}
