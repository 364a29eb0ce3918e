/** v0, v1 and v2 of the gateway's API say the same; the newest first. */
const PATHS = ['/rpc/v2', '/rpc/v1', '/rpc/v0'];

/**
 * Where a gateway may listen, to be tried in order: its URL (`ws(s)://` or `http(s)://`) with the paths of its API, or alone where it
 * names one.
 */
export function gatewayUrls(text: string): string[] {
  const url = new URL(text);
  const scheme = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss' : 'ws';
  const path = url.pathname.replace(/\/+$/, '');
  const paths = /\/rpc\/v\d+$/.test(path) ? [path] : PATHS.map((end) => path + end);
  return paths.map((one) => `${scheme}://${url.host}${one}${url.search}`);
}
