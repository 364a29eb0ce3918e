import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { isLoopback } from './socket-address.ts';

export interface ArrivedRequest {
  readonly socket: Pick<Socket, 'remoteAddress' | 'localAddress'>;
  readonly headers: IncomingHttpHeaders;
}

/** What a proxy adds to what it passes on. */
const OF_PROXIES = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/** Whether a proxy passed it on: its socket then says where the proxy is, not who asks. */
export function isForwarded({ headers }: Pick<ArrivedRequest, 'headers'>): boolean {
  return OF_PROXIES.some((name) => headers[name] !== undefined);
}

/**
 * Whether both ends are on this machine: over loopback, or from one of its addresses to the same one. A proxy on this machine that adds
 * no header of its own cannot be told from the programs here.
 */
export function isSameMachine(request: ArrivedRequest): boolean {
  const { remoteAddress, localAddress } = request.socket;
  if (remoteAddress === undefined || isForwarded(request)) return false;
  return remoteAddress === localAddress || isLoopback(remoteAddress.replace(/^::ffff:/, ''));
}
