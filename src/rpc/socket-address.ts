import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isLoopback(host: string): boolean {
  const family = isIP(host);
  return host === 'localhost' || (family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4'));
}

/** `host:port` alone means wss:// where TLS is configured, else ws://. */
export function socketUrl(address: string, tls: boolean): string {
  return address.includes('://') ? address : `${tls ? 'wss' : 'ws'}://${address}`;
}

/** Whether what is sent there can be read on the way. */
export function isInTheClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'ws:' && !isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
}
