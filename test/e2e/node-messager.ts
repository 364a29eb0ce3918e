import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly [string, object];
}

/** A venus-messager by HTTP that lets a node sign and push at once what it is given. */
export class NodeMessager {
  readonly #node: { readonly rpc: string; readonly token: string };
  readonly #held = new Map<string, { readonly Message: object; readonly CID: object }>();
  readonly #server: Server;

  private constructor(node: { readonly rpc: string; readonly token: string }) {
    this.#node = node;
    this.#server = createServer(async (request, response) => {
      const { id, method, params } = (await json(request)) as Call;
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: await this.#answer(method, params) }));
    });
  }

  static async start(node: { readonly rpc: string; readonly token: string }): Promise<NodeMessager> {
    const messager = new NodeMessager(node);
    await new Promise<void>((resolve) => messager.#server.listen(0, '127.0.0.1', resolve));
    return messager;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get pushed(): number {
    return this.#held.size;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(method: string, [uid, message]: Call['params']): Promise<unknown> {
    const held = this.#held.get(uid);
    if (method === 'Message.WalletHas') return true;
    if (method === 'Message.HasMessageByUid') return held !== undefined;
    if (method === 'Message.PushMessageWithId') {
      this.#held.set(uid, await this.#push(message));
      return uid;
    }
    // What is in the pool will do.
    if (method === 'Message.ReplaceMessage') return null;
    if (held === undefined) throw new Error(`${method} of ${uid}`);
    return { ...held.Message, ID: uid, SignedCid: held.CID, Receipt: null, State: 2, ErrorMsg: '' };
  }

  async #push(message: object): Promise<{ Message: object; CID: object }> {
    const response = await fetch(this.#node.rpc.replace(/^ws/, 'http'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.#node.token}` },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'Filecoin.MpoolPushMessage',
        params: [message, { MaxFee: '0' }],
      }),
    });
    const { result, error } = (await response.json()) as { result?: { Message: object; CID: object }; error?: object };
    if (result === undefined) throw new Error(JSON.stringify(error));
    return result;
  }
}
