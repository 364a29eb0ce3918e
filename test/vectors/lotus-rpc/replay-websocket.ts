import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type Exchange, field } from './exchange.ts';
import { compareAnswers, tokenOf } from './replay-http.ts';
import { World } from './world.ts';

interface Change {
  readonly type: string;
  readonly height: number;
  readonly blocks: number;
}

const ANSWER_LIMIT_MS = 5000;

/** Replays recorded frames: what was sent is sent, and before each recorded change of the head the chain is made to change so. */
export async function replayWebSocket(exchange: Exchange): Promise<void> {
  const frames = exchange.frames ?? [];
  const world = await openFor(frames);
  try {
    const url = `ws://127.0.0.1:${world.devnet.port}/rpc/v1`;
    const socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${tokenOf(world, exchange.authorization)}` },
    });
    const status = await upgradeStatus(socket);
    if (exchange.httpStatus !== undefined) {
      if (status !== exchange.httpStatus)
        throw new Error(`HTTP status is ${status}, recorded is ${exchange.httpStatus}`);
      return;
    }
    if (status !== 101) throw new Error(`the WebSocket was refused with HTTP status ${status}`);
    const received = new Queue(socket);
    for (const { dir, data } of frames) {
      if (dir === 'send') socket.send(JSON.stringify(data));
      else await expectFrame(world, received, data);
    }
    socket.close();
  } finally {
    await world.close();
  }
}

/** The chain at the recorded start: its head, and below it as many blocks as the recorded tipsets have that leave it later. */
async function openFor(frames: NonNullable<Exchange['frames']>): Promise<World> {
  const changes = frames.flatMap(({ data }) => changesIn(data));
  const current = changes.find(({ type }) => type === 'current');
  const height = current?.height ?? 10;
  const seen = new Map(changes.filter(({ type }) => type === 'apply').map((change) => [change.height, change.blocks]));
  const blocks = new Map(
    [current, ...changes.filter(({ type, height: at }) => type === 'revert' && !seen.has(at))].map((change) => [
      change?.height,
      change?.blocks,
    ]),
  );
  const world = await World.open({ start: Math.max(0, height - 10) });
  while (world.node.chain.head.height < height) {
    const { height: made } = await world.node.chain.mine();
    for (let count = 1; count < (blocks.get(made) ?? 1); count++) await world.node.chain.addBlock();
  }
  return world;
}

async function expectFrame(world: World, received: Queue, recorded: unknown): Promise<void> {
  const changes = changesIn(recorded);
  await makeHappen(world, changes);
  const frame = await received.next();
  const [got, wanted] = [changesIn(frame), changes].map((list) => JSON.stringify(list));
  if (got !== wanted) throw new Error(`the head changed by ${got}, recorded is ${wanted}`);
  compareAnswers(frame, recorded);
}

async function makeHappen(world: World, changes: readonly Change[]): Promise<void> {
  const { chain } = world.node;
  const reverted = changes.filter(({ type }) => type === 'revert');
  const applied = changes.filter(({ type }) => type === 'apply');
  const [first] = applied;
  if (reverted.length === 1 && applied.length === 1 && first?.height === reverted[0]?.height) {
    await chain.addBlock();
    return;
  }
  if (reverted.length > 0 && first !== undefined) await chain.reorg(reverted.length, false);
  else if (reverted.length > 0) await chain.rewind(reverted.length);
  else if (first !== undefined) await chain.mine(first.height - chain.head.height - 1);
}

function changesIn(frame: unknown): Change[] {
  const params = field(frame, 'method') === 'xrpc.ch.val' ? field(frame, 'params') : undefined;
  const changes: unknown = Array.isArray(params) ? params[1] : undefined;
  if (!Array.isArray(changes)) return [];
  return changes.map((change) => {
    const blocks = field(change, 'Val', 'Blocks');
    return {
      type: String(field(change, 'Type')),
      height: Number(field(change, 'Val', 'Height')),
      blocks: Array.isArray(blocks) ? blocks.length : 0,
    };
  });
}

/** The frames of a socket in their order. */
class Queue {
  readonly #frames: unknown[] = [];
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#frames.push(JSON.parse(data.toString())));
  }

  async next(): Promise<unknown> {
    while (this.#frames.length === 0)
      await once(this.#socket, 'message', { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    return this.#frames.shift();
  }
}

function upgradeStatus(socket: WebSocket): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    socket.once('error', reject);
  });
}
