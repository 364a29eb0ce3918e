import {
  createJSONRPCErrorResponse,
  type JSONRPCError,
  JSONRPCErrorCode,
  type JSONRPCErrorResponse,
} from 'json-rpc-2.0';
import { CodedError } from '../errors/coded-error.ts';

/** JSON-RPC 2.0 leaves -32000 to -32099 to applications; what went wrong is said by data.code. */
const CODED = -32000;

/** What a caller may hear of an error: our own errors in full, of any other only that there was one. */
export function toErrorResponse(id: string | number | null, error: unknown): JSONRPCErrorResponse {
  return error instanceof CodedError
    ? createJSONRPCErrorResponse(id, CODED, error.message, { ...plain(error.data), code: error.code })
    : createJSONRPCErrorResponse(id, JSONRPCErrorCode.InternalError, 'internal error', { code: 'internal-error' });
}

/** The error that the other side threw, with its data. */
export function fromRpcError(error: JSONRPCError, method: string): CodedError {
  const said: unknown = error.data;
  const {
    code,
    cause: _,
    ...data
  } = (typeof said === 'object' && said !== null ? said : {}) as Record<string, unknown>;
  const unknown = error.code === JSONRPCErrorCode.MethodNotFound ? 'unknown-method' : 'rpc-failed';
  return new CodedError(typeof code === 'string' ? code : unknown, error.message, { ...data, method });
}

/** What JSON can say of it; nothing where it cannot. */
function plain(data: object): object {
  try {
    return JSON.parse(JSON.stringify(data));
  } catch {
    return {};
  }
}
