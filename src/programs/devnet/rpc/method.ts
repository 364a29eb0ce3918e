import { errorText } from '../../../errors/coded-error.ts';
import type { Param } from './params.ts';
import type { Permission } from './permissions.ts';
import { RpcCode, rpcError } from './rpc-error.ts';

/** A method that can be called: who may, and what it does with parameters as they came. */
export interface Method {
  readonly permission: Permission;
  readonly call: (name: string, params: readonly unknown[]) => unknown;
}

export function method<T extends readonly unknown[]>(
  permission: Permission,
  params: { readonly [K in keyof T]: Param<T[K]> },
  run: (...values: T) => unknown,
): Method {
  const readers: readonly Param<unknown>[] = params;
  return {
    permission,
    call(name, given) {
      if (given.length !== readers.length) {
        throw rpcError(
          RpcCode.wrongParamCount,
          `wrong param count (method '${name}'): ${given.length} != ${readers.length}`,
        );
      }
      const values = readers.map((reader, index) => readParam(name, reader, given[index]));
      // The readers stand in the order of T.
      return run(...(values as unknown as T));
    },
  };
}

function readParam(name: string, reader: Param<unknown>, json: unknown): unknown {
  try {
    return reader.read(json);
  } catch (error) {
    throw rpcError(RpcCode.parse, `unmarshaling params for '${name}' (param: ${reader.goType}): ${errorText(error)}`);
  }
}
