import type { RawData, WebSocket } from 'ws';
import type { Node } from '../node.ts';
import { notifyHeads } from './head-channel.ts';
import { answer, failed, type Methods } from './protocol.ts';
import { RpcCode, rpcError } from './rpc-error.ts';

/** One connection: requests are answered in any order, ChainNotify opens a channel that `xrpc.cancel` closes. */
export function serveWebSocket(node: Node, methods: Methods, allowed: readonly string[], socket: WebSocket): void {
  const send = (message: unknown): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  };
  /** By the id of the request that opened it. */
  const channels = new Map<unknown, { readonly channel: number; readonly stop: () => void }>();
  let lastChannel = 0;

  const receive = async (data: RawData): Promise<void> => {
    const request = parse(data);
    if (request === undefined) return send(failed(null, rpcError(RpcCode.parse, 'Parse error')));
    if (request.method === 'xrpc.cancel') return cancel(request.params);
    if (request.method === 'Filecoin.ChainNotify') return subscribe(request.id);
    const answered = await answer(methods, allowed, request);
    if (answered !== undefined) send(answered);
  };
  const subscribe = (id: unknown): void => {
    const channel = ++lastChannel;
    send({ jsonrpc: '2.0', id, result: channel });
    channels.set(id, { channel, stop: notifyHeads(node.chain, channel, send) });
  };
  const cancel = (params: unknown): void => {
    const id: unknown = Array.isArray(params) ? params[0] : undefined;
    const open = channels.get(id);
    if (open === undefined) return;
    open.stop();
    channels.delete(id);
    send({ jsonrpc: '2.0', method: 'xrpc.ch.close', params: [open.channel] });
  };

  socket.on('message', (data) => void receive(data));
  // A broken connection ends with `close` as well.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    for (const { stop } of channels.values()) stop();
  });
}

function parse(data: RawData): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(data.toString());
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? Object.fromEntries(Object.entries(json))
      : undefined;
  } catch {
    return undefined;
  }
}
