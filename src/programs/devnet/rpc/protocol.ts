import type { Method } from './method.ts';
import { RpcCode, type RpcErrorBody, rpcError, rpcErrorBody } from './rpc-error.ts';

export interface RpcResponse {
  readonly jsonrpc: '2.0';
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: RpcErrorBody;
}

export type Methods = Readonly<Record<string, Method>>;

/** Methods whose results are streams; they work over a WebSocket only. */
const CHANNEL_METHODS = ['Filecoin.ChainNotify'];

/** Answers one request; undefined for a notification, which gets no answer. */
export async function answer(
  methods: Methods,
  allowed: readonly string[],
  request: unknown,
): Promise<RpcResponse | undefined> {
  if (typeof request !== 'object' || request === null) return failed(null, rpcError(RpcCode.parse, 'Parse error'));
  const id: unknown = 'id' in request ? request.id : undefined;
  try {
    const result = await call(methods, allowed, request);
    return id === undefined ? undefined : { jsonrpc: '2.0', id, result: result ?? null };
  } catch (error) {
    return failed(id ?? null, error);
  }
}

export function failed(id: unknown, error: unknown): RpcResponse {
  return { jsonrpc: '2.0', id, error: rpcErrorBody(error) };
}

async function call(methods: Methods, allowed: readonly string[], request: object): Promise<unknown> {
  const name = 'method' in request && typeof request.method === 'string' ? request.method : '';
  if (CHANNEL_METHODS.includes(name)) {
    throw rpcError(RpcCode.methodNotFound, `method '${name}' not supported in this mode (no out channel support)`);
  }
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) throw rpcError(RpcCode.methodNotFound, `method '${name}' not found`);
  const params = 'params' in request ? (request.params ?? []) : [];
  if (!Array.isArray(params)) {
    throw rpcError(
      RpcCode.parse,
      'unmarshaling param array: json: cannot unmarshal object into Go value of type []jsonrpc.param',
    );
  }
  if (!allowed.includes(method.permission)) {
    const short = name.replace(/^.*\./, '');
    throw rpcError(RpcCode.plain, `missing permission to invoke '${short}' (need '${method.permission}')`);
  }
  return method.call(name, params);
}
