/** Every interface. */
const ANY = new Set(['0.0.0.0', '::']);

/** Where others reach a listener, as `host:port`. */
export function advertisedAddress(listen: {
  readonly host: string;
  readonly port: number;
  /** Of this machine. */
  readonly hostname: string;
}): string {
  const host = ANY.has(listen.host) ? listen.hostname : listen.host;
  return `${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
}
