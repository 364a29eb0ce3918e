import { createJSONRPCErrorResponse, JSONRPCErrorCode, JSONRPCErrorException } from 'json-rpc-2.0';
import { CodedError } from '../errors/coded-error.ts';

/** JSON-RPC 2.0 leaves -32000 to -32099 to applications; what went wrong is said by data.code. */
const CODED = -32000;

type ErrorResponse = ReturnType<typeof createJSONRPCErrorResponse>;

/** What a caller may hear of an error: our own errors in full, of any other only that there was one. */
export function toErrorResponse(id: string | number | null, error: unknown): ErrorResponse {
  return error instanceof CodedError
    ? createJSONRPCErrorResponse(id, CODED, error.message, { code: error.code })
    : createJSONRPCErrorResponse(id, JSONRPCErrorCode.InternalError, 'internal error', { code: 'internal-error' });
}

/** The error that the other side threw. */
export function fromRpcError(error: unknown, method: string): CodedError {
  if (!(error instanceof JSONRPCErrorException)) {
    return new CodedError('rpc-failed', `${method} was not answered by JSON-RPC`, { cause: error });
  }
  return new CodedError(codeOf(error), error.message, { method });
}

function codeOf(error: JSONRPCErrorException): string {
  const data: unknown = error.data;
  if (typeof data === 'object' && data !== null && 'code' in data && typeof data.code === 'string') return data.code;
  return error.code === JSONRPCErrorCode.MethodNotFound ? 'unknown-method' : 'rpc-failed';
}
