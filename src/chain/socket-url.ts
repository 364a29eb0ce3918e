/**
 * The WebSocket of the node that listens at this `ws(s)://` or `http(s)://` URL; a missing path is that of Lotus' JSON-RPC v1.
 */
export function socketUrl(text: string): string {
  const url = new URL(text);
  const secure = url.protocol === 'https:' || url.protocol === 'wss:';
  const path = url.pathname === '/' ? '/rpc/v1' : url.pathname.replace(/\/$/, '');
  return `${secure ? 'wss' : 'ws'}://${url.host}${path}${url.search}`;
}
