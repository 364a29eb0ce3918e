import { hostname } from 'node:os';
import type { MasterConfig } from './master-file.ts';

/** Where a program of the same host reaches a master. A certificate is made out to the name that others use; in the clear loopback will do. */
export function urlOnItsHost({ listen, advertise, tlsCert }: MasterConfig['server']): string {
  const isEvery = listen.host === '0.0.0.0' || listen.host === '::';
  const host = isEvery ? (tlsCert === undefined ? '127.0.0.1' : hostname()) : listen.host;
  const address = `${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
  return tlsCert === undefined ? `ws://${address}` : `wss://${advertise ?? address}`;
}
