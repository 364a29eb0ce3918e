import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SignedMessage, signedMessageCid } from '../../src/filecoin/message.ts';
import { type LotusMessage, messageFromJson, messageToJson } from '../../src/filecoin/message-json.ts';
import type { PoolStandIn } from './pool-stand-in.ts';

interface Held {
  readonly json: LotusMessage;
  readonly spec: unknown;
  state: number;
  signed?: SignedMessage;
  error: string;
}

interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly headers: IncomingMessage['headers'];
}

/** A venus-messager by HTTP: what it is given it signs when `work` is called, with its own nonces. */
export class MessagerStandIn {
  readonly calls: Call[] = [];
  readonly held = new Map<string, Held>();
  /** Methods that the token may not call. */
  readonly forbidden = new Set<string>();
  /** Accounts of which no wallet behind it has the key. */
  readonly withoutKey = new Set<string>();
  /** Why nothing is signed; '' signs. */
  trouble = '';
  readonly #pool: PoolStandIn;
  readonly #server: Server;

  private constructor(pool: PoolStandIn) {
    this.#pool = pool;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString());
        const name = String(method).replace('Message.', '');
        this.calls.push({ method: name, params, headers: request.headers });
        const answer = this.#answer(name, params);
        response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
      });
    });
  }

  static async start(pool: PoolStandIn): Promise<MessagerStandIn> {
    const standIn = new MessagerStandIn(pool);
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get address(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `ws://127.0.0.1:${port}`;
  }

  /** Signs and pushes what waits. */
  work(): void {
    for (const held of this.held.values()) {
      if (held.state !== 1) continue;
      held.error = this.trouble;
      if (this.trouble !== '') continue;
      const draft = messageFromJson(held.json);
      held.signed = this.#pool.pushNext({ ...draft, gasLimit: 1_000_000, gasPremium: 1000n });
      held.state = 2;
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(method: string, params: never[]): { result?: unknown; error?: { code: number; message: string } } {
    const fail = (message: string) => ({ error: { code: 1, message } });
    if (this.forbidden.has(method)) return fail(`missing permission to invoke '${method}' (need 'admin')`);
    const [uid, json, spec] = params as unknown as [string, LotusMessage, unknown];
    const held = this.held.get(uid);
    switch (method) {
      case 'WalletHas':
        return { result: !this.withoutKey.has(uid) };
      case 'HasMessageByUid':
        return { result: held !== undefined };
      case 'GetMessageByUid':
        return held === undefined ? fail('record not found') : { result: heldJson(uid, held) };
      case 'PushMessageWithId':
        if (held !== undefined) return fail(`Error 1062: Duplicate entry '${uid}' for key 'PRIMARY'`);
        this.held.set(uid, { json, spec, state: 1, error: '' });
        return { result: uid };
      case 'MarkBadMessage':
        if (held !== undefined) held.state = 4;
        return { result: null };
      case 'ReplaceMessage':
        return { result: { '/': 'bafy2bzaceb55jfbbtdyp7u7rsunl2wigwc6e4pkwheiufqctgqsd7jh336p22' } };
      default:
        return fail(`method '${method}' not found`);
    }
  }
}

function heldJson(uid: string, { json, signed, state, error }: Held): object {
  return {
    ID: uid,
    UnsignedCid: null,
    SignedCid: signed === undefined ? null : { '/': signedMessageCid(signed).toString() },
    ...(signed === undefined ? json : messageToJson(signed.message)),
    Signature: null,
    Height: 0,
    Confidence: 0,
    Receipt: { ExitCode: 0, Return: null, GasUsed: 0 },
    TipSetKey: [],
    Meta: null,
    WalletName: '',
    State: state,
    ErrorMsg: error,
    CreatedAt: '2024-01-01T00:00:00Z',
    UpdatedAt: '2024-01-01T00:00:00Z',
  };
}
