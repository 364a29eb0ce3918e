import { CodedError } from '../../../errors/coded-error.ts';

/** Codes of the node's JSON-RPC errors. */
export const RpcCode = {
  plain: 1,
  executionReverted: 3,
  actorNotFound: 11,
  invalidRequest: -32600,
  methodNotFound: -32601,
  wrongParamCount: -32602,
  parse: -32700,
} as const;

export interface RpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export function rpcError(code: number, message: string, data?: unknown): CodedError {
  return new CodedError('rpc-error', message, { rpcCode: code, rpcData: data });
}

/** Any error as it is answered; what is no error of the protocol has code 1. */
export function rpcErrorBody(error: unknown): RpcErrorBody {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof CodedError) || error.code !== 'rpc-error') return { code: RpcCode.plain, message };
  const data = error.data.rpcData;
  return { code: Number(error.data.rpcCode), message, ...(data !== undefined && { data }) };
}

/** The HTTP status of an answer with this error code. */
export function httpStatus(code: number): number {
  if (code === RpcCode.invalidRequest) return 400;
  return code < 0 ? 500 : 200;
}
