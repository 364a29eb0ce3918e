import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

/** Half-open: nothing passes, and neither side is told. */
export type LinkState = 'open' | 'cut' | 'half-open';

/** The state of every link, by `who/whom`. */
export class Links {
  readonly #states = new Map<string, LinkState>();
  readonly #pairs = new Set<Pair>();

  state(name: string): LinkState {
    return this.#states.get(name) ?? 'open';
  }

  set(name: string, state: LinkState): void {
    this.#states.set(name, state);
    for (const pair of this.#pairs) if (pair.name === name) pair.apply(state);
  }

  add(pair: Pair): void {
    this.#pairs.add(pair);
    pair.apply(this.state(pair.name));
    pair.onEnd(() => this.#pairs.delete(pair));
  }
}

/** A client's socket and ours to the server behind. */
class Pair {
  readonly name: string;
  readonly #client: Socket;
  readonly #target: NetConnectOpts;
  readonly #head: Buffer | undefined;
  #server: Socket | undefined;
  #state: LinkState = 'half-open';
  #ended = false;
  #onEnd: () => void = () => {};

  constructor(name: string, client: Socket, target: NetConnectOpts, head?: Buffer) {
    this.name = name;
    this.#client = client;
    this.#target = target;
    this.#head = head;
    this.#watch(client);
  }

  onEnd(run: () => void): void {
    this.#onEnd = run;
  }

  apply(state: LinkState): void {
    this.#state = state;
    if (state === 'cut' || (state === 'open' && this.#ended)) this.#destroy();
    else if (state === 'open') this.#flow();
    else this.#hold();
  }

  /** An unpiped socket is not read: what is under way stays in the kernel, an end too. */
  #hold(): void {
    if (this.#server === undefined) return;
    this.#client.unpipe(this.#server);
    this.#server.unpipe(this.#client);
  }

  #flow(): void {
    if (this.#server === undefined) {
      this.#server = connect(this.#target);
      this.#watch(this.#server);
      if (this.#head !== undefined) this.#server.write(this.#head);
    }
    this.#client.pipe(this.#server);
    this.#server.pipe(this.#client);
  }

  #watch(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
      if (this.#state !== 'half-open') this.#destroy();
    });
  }

  #destroy(): void {
    this.#client.destroy();
    this.#server?.destroy();
    this.#onEnd();
  }
}

/**
 * Stands before one server; each connection belongs to a link that can be cut or made half-open alone. Clients of masters come
 * to one address, as they must where a standby names the leader to them, and are told apart by the token that they show.
 */
export class LinkProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #host: string;

  constructor(init: {
    readonly host: string;
    readonly links: Links;
    readonly target: NetConnectOpts;
    /** The link of all connections, or of one that begins with these bytes. */
    readonly link: string | ((head: Buffer) => string);
  }) {
    const { links, target, link } = init;
    this.#host = init.host;
    this.#server = createServer((client) => {
      this.#sockets.add(client);
      client.on('error', () => {});
      client.on('close', () => this.#sockets.delete(client));
      if (typeof link === 'string') return links.add(new Pair(link, client, target));
      client.once('data', (head) => {
        client.pause();
        links.add(new Pair(link(head), client, target, head));
      });
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, this.#host);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
