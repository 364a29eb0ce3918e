import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

interface Find {
  readonly kind: string;
  readonly miner: number;
  readonly number: number;
  /** Says that both are in this store; '' that it is not known. */
  found(store: string): void;
  failed(message: string): void;
}

/** The server of a manager of the system that is replaced: calls over a WebSocket are answered one by one, in any order. */
export async function startOldDaemon(onFind: (find: Find) => void): Promise<{ address: string; close(): void }> {
  const server = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new WebSocketServer({ server, path: '/rpc/v0' });
  sockets.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { jsonrpc, id, method, params } = JSON.parse(String(data));
      const [kind, { Miner: miner, Number: number }] = params;
      const answer = (body: object) => socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
      if (jsonrpc !== '2.0' || method !== 'Venus.SectorIndexerFind') {
        answer({ error: { code: -32601, message: `method '${method}' not found` } });
        return;
      }
      onFind({
        kind,
        miner,
        number,
        found: (store) => answer({ result: { Found: store !== '', Instance: { SealedFile: store, CacheDir: store } } }),
        failed: (message) => answer({ error: { code: 1, message } }),
      });
    }),
  );
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    },
  };
}
