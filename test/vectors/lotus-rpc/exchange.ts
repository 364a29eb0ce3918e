import { z } from 'zod';

/** One recorded exchange: an HTTP request and its answer, or the frames of a WebSocket. */
export const exchangeSchema = z.strictObject({
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

export type Exchange = z.output<typeof exchangeSchema>;

const call = z.object({ method: z.string(), params: z.array(z.unknown()).nullish() });
const answer = z.object({ result: z.unknown().optional(), error: z.object({ message: z.string() }).optional() });

/** What was asked and what came of it, as far as a request is a plain call. */
export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly result: unknown;
  /** Empty where there is no error. For executions the text of the failure, wherever it stands in the answer. */
  readonly error: string;
}

export function callOf(exchange: Exchange): Call {
  const request = call.safeParse(exchange.request).data ?? { method: '' };
  const { result, error } = answer.safeParse(exchange.response).data ?? {};
  const failure = error?.message ?? field(result, 'Error');
  return {
    method: request.method,
    params: request.params ?? [],
    result,
    error: typeof failure === 'string' ? failure : '',
  };
}

/** A field of a JSON object; undefined where there is none. */
export function field(json: unknown, ...path: readonly string[]): unknown {
  let value = json;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === name)?.[1];
  }
  return value;
}
