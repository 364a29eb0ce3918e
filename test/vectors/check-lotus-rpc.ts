import { parse, type Result } from './check.ts';
import { type Exchange, exchangeSchema } from './lotus-rpc/exchange.ts';
import { replayHttp } from './lotus-rpc/replay-http.ts';
import { replayWebSocket } from './lotus-rpc/replay-websocket.ts';

/** A vector file as it was read. */
export interface VectorFile {
  readonly file: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export function isLotusRpcCase(json: Readonly<Record<string, unknown>>): boolean {
  return 'case' in json;
}

/** Replays recorded exchanges with a Lotus node on the development chain: each answer must have the recorded form. */
export async function checkLotusRpc(files: readonly VectorFile[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const { file, json } of files) {
    const name = String(json.case);
    try {
      await replay(parse(exchangeSchema, json));
      results.push({ file, name });
    } catch (error) {
      results.push({ file, name, failure: error instanceof Error ? error.message : String(error) });
    }
  }
  return results;
}

function replay(exchange: Exchange): Promise<void> {
  if (exchange.frames !== undefined || exchange.transport === 'websocket') return replayWebSocket(exchange);
  if (exchange.request === undefined || exchange.response === undefined) {
    throw new Error('unknown format: an HTTP exchange has a request and a response');
  }
  if (exchange.httpStatus === undefined) throw new Error('unknown format: an HTTP exchange has a status');
  return replayHttp(exchange);
}
