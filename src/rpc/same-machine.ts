import type { Socket } from 'node:net';
import { isLoopback } from './socket-address.ts';

/** Whether both ends of a connection are on this machine: over loopback, or from one of its addresses to the same one. */
export function isSameMachine({
  remoteAddress,
  localAddress,
}: Pick<Socket, 'remoteAddress' | 'localAddress'>): boolean {
  if (remoteAddress === undefined) return false;
  return remoteAddress === localAddress || isLoopback(remoteAddress.replace(/^::ffff:/, ''));
}
