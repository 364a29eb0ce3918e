import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface HalfOpenProxy {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /**
   * Connections stay open and new ones are taken, but nothing passes, not even that one side has gone.
   * @param way `up`: only what goes to the target is held
   */
  stall(way?: 'both' | 'up' | 'down'): void;
  /** Resets every connection, and new ones until `resume`. */
  cut(): void;
  /** Everything passes again, what was held first. */
  resume(): void;
  close(): Promise<void>;
}

/** A TCP link between a client and `127.0.0.1:targetPort` that can be broken. */
export async function startHalfOpenProxy(targetPort: number): Promise<HalfOpenProxy> {
  const held = { up: false, down: false };
  let isCut = false;
  const links = new Set<{ readonly client: Socket; readonly target: Socket }>();

  /** Nothing is read from a paused socket, so its end and its resets are not seen, either. */
  function flow(): void {
    for (const { client, target } of links) {
      if (held.up) client.pause();
      else client.resume();
      if (held.down) target.pause();
      else target.resume();
    }
  }

  function pump(from: Socket, to: Socket, way: 'up' | 'down'): void {
    from.on('data', (chunk) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => {
        if (!held[way]) from.resume();
      });
    });
    from.on('end', () => to.end());
    from.on('error', () => to.resetAndDestroy());
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (isCut) {
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    const target = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true, noDelay: true });
    const link = { client, target };
    links.add(link);
    pump(client, target, 'up');
    pump(target, client, 'down');
    for (const socket of [client, target]) {
      socket.once('close', () => {
        if (client.destroyed && target.destroyed) links.delete(link);
      });
    }
    flow();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  function reset(): void {
    for (const { client, target } of links) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  return {
    port,
    address: `127.0.0.1:${port}`,
    stall(way = 'both') {
      held.up = way !== 'down';
      held.down = way !== 'up';
      flow();
    },
    cut() {
      isCut = true;
      reset();
    },
    resume() {
      isCut = false;
      held.up = false;
      held.down = false;
      flow();
    },
    async close() {
      reset();
      server.close();
      await once(server, 'close');
    },
  };
}
