import { z } from 'zod';
import { parse, type Result } from './check.ts';

/** One recorded exchange: an HTTP request and its answer, or the frames of a WebSocket. */
const caseSchema = z.strictObject({
  case: z.string(),
  note: z.string().optional(),
  transport: z.literal('websocket').optional(),
  authorization: z.enum(['valid', 'read', 'wrong', 'none']).optional(),
  /** A string where the body was empty or no JSON. */
  request: z.unknown().optional(),
  httpStatus: z.int().optional(),
  response: z.unknown().optional(),
  frames: z.array(z.strictObject({ dir: z.enum(['send', 'recv']), data: z.unknown() })).optional(),
});

export type LotusRpcCase = z.output<typeof caseSchema>;

/** A vector file as it was read. */
export interface VectorFile {
  readonly file: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export function isLotusRpcCase(json: Readonly<Record<string, unknown>>): boolean {
  return 'case' in json;
}

/** Checks recorded exchanges with a Lotus node; so far only that each has a form we know. */
export async function checkLotusRpc(files: readonly VectorFile[]): Promise<Result[]> {
  return files.map(({ file, json }) => {
    const name = String(json.case);
    try {
      checkForm(parse(caseSchema, json));
      return { file, name };
    } catch (error) {
      return { file, name, failure: error instanceof Error ? error.message : String(error) };
    }
  });
}

function checkForm(exchange: LotusRpcCase): void {
  if (exchange.transport === undefined && !('request' in exchange && 'response' in exchange)) {
    throw new Error('unknown format: an HTTP exchange has a request and a response');
  }
  if (exchange.frames === undefined && exchange.httpStatus === undefined) {
    throw new Error('unknown format: an exchange has an HTTP status or frames');
  }
}
