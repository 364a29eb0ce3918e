import { systemClock } from '../src/clock/system-clock.ts';
import type { AttemptId } from '../src/rpc/methods.ts';
import { RpcClient } from '../src/rpc/rpc-client.ts';
import type { FromFakeSlaves, ToFakeSlaves } from './fake-slave-messages.ts';
import { monotonicNs } from './stage.ts';
import { quiet } from './systems/wdpost.ts';

/** Many slaves of one slot in one process, with the calls and intervals of the real daemon, and no prover. */
const RECONNECT_MS = 3_000;
const HEARTBEAT_MS = 5_000;
const TELL_MS = 20;
const OUTPUT = { proofs: [Buffer.alloc(192, 1).toString('base64')], faults: [] };

let holding = false;
let joined = 0;
let lastAt = 0;
let told = 0;
const slaves: FakeSlave[] = [];

function send(message: FromFakeSlaves): void {
  process.send?.(message);
}

class FakeSlave {
  readonly #held = new Map<string, AttemptId>();
  readonly #client: RpcClient;

  constructor(address: string, name: string) {
    this.#client = new RpcClient(quiet, {
      urls: [address],
      reconnectIntervalMs: RECONNECT_MS,
      hello: () => ({ role: 'slave', name, slots: 1, sectorSize: null, attempts: [...this.#held.values()] }),
      onHello: () => {
        joined++;
        lastAt = monotonicNs();
      },
      handlers: {
        'attempt.start': ({ id, attempt }) => {
          send({ type: 'started', id, at: monotonicNs() });
          this.#held.set(id, { id, attempt });
          if (!holding) setImmediate(() => void this.finish());
          return { accepted: true, reason: null };
        },
        'attempt.cancel': () => null,
      },
    });
  }

  async start(phaseMs: number): Promise<void> {
    await this.#client.start();
    systemClock.after(phaseMs, () => void this.#beat());
  }

  /** For each attempt that it holds, whether its result was taken. */
  async finish(): Promise<boolean[]> {
    const held = [...this.#held.values()];
    this.#held.clear();
    const verdicts = held.map((attempt) => this.#client.call('attempt.finish', { ...attempt, output: OUTPUT }));
    const accepted = (await Promise.all(verdicts)).map((verdict) => verdict.accepted);
    await this.#client.call('slave.heartbeat', { attempts: [], free: 1 });
    return accepted;
  }

  async #beat(): Promise<void> {
    const attempts = [...this.#held.values()].map((held) => ({
      ...held,
      phase: 'proving' as const,
      done: 0,
      total: 1,
    }));
    const beat = { attempts, free: attempts.length === 0 ? 1 : 0 };
    if (this.#client.isConnected) await this.#client.call('slave.heartbeat', beat).catch(() => {});
    systemClock.after(HEARTBEAT_MS, () => void this.#beat());
  }
}

function tell(): void {
  if (told !== joined) send({ type: 'joined', count: joined, lastAt });
  told = joined;
  systemClock.after(TELL_MS, tell);
}

async function obey(message: ToFakeSlaves): Promise<void> {
  if (message.type === 'hold') holding = true;
  if (message.type === 'join') {
    const from = slaves.length;
    const added = Array.from(
      { length: message.count },
      (_, index) => new FakeSlave(message.address, `fake-${from + index}`),
    );
    slaves.push(...added);
    await Promise.all(added.map((slave, index) => slave.start((index / message.count) * HEARTBEAT_MS)));
  }
  if (message.type === 'finish') {
    const verdicts = (await Promise.all(slaves.map((slave) => slave.finish()))).flat();
    send({ type: 'results', held: verdicts.length, accepted: verdicts.filter((accepted) => accepted).length });
  }
}

process.on('message', (message: ToFakeSlaves) => void obey(message));
process.on('disconnect', () => process.exit(0));
tell();
