import { hostAndPort, type ListenAddress, listenAddress } from '../../config/kinds.ts';
import { CodedError } from '../../errors/coded-error.ts';

/** Options of `daemon run` that name addresses, as they were written. */
export interface WrittenAddresses {
  readonly listen?: string;
  readonly proxy?: string;
  readonly proxySectorIndexerOff?: boolean;
}

/** @throws CodedError `usage` */
export function readAddresses({ listen, proxy, proxySectorIndexerOff }: WrittenAddresses): {
  readonly listen?: ListenAddress;
  readonly proxy?: string;
} {
  const listens = listen === undefined ? undefined : listenAddress.read(listen);
  if (listen !== undefined && listens === undefined) {
    throw new CodedError('usage', `--listen is ${JSON.stringify(listen)}; write ${listenAddress.accepts}`);
  }
  if (proxy !== undefined && hostAndPort.read(proxy) === undefined) {
    const shown = hostAndPort.mayHoldSecret?.(proxy) === true ? 'no such address' : JSON.stringify(proxy);
    throw new CodedError('usage', `--proxy is ${shown}; write ${hostAndPort.accepts}`);
  }
  return {
    ...(listens !== undefined && { listen: listens }),
    ...(proxy !== undefined && proxySectorIndexerOff !== true && { proxy }),
  };
}
