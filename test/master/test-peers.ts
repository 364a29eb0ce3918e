import { systemClock } from '../../src/clock/system-clock.ts';
import type { AttemptId, HelloAnswer, PeerMethods } from '../../src/rpc/methods.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

type Start = PeerMethods['attempt.start']['params'];

export interface TestSlave {
  readonly client: RpcClient;
  readonly hellos: EventQueue<HelloAnswer>;
  readonly starts: EventQueue<Start>;
  readonly cancels: EventQueue<AttemptId & { reason: string }>;
  /** What it says it works on when it connects again. */
  readonly working: AttemptId[];
  /** Each one further than the one before. */
  beat(phase: 'reading' | 'proving', ...attempts: AttemptId[]): Promise<AttemptId[]>;
}

const components = { clock: systemClock, logger: silentLogger };

/** A slave over a real socket that does what the test says. */
export async function joinSlave(
  url: string | readonly string[],
  name: string,
  init: {
    readonly slots?: number;
    readonly accepts?: boolean;
    readonly working?: AttemptId[];
    readonly stores?: string[];
    /** Until then its prover is busy with what was cancelled. */
    readonly freeAfterCancel?: Promise<void>;
  } = {},
): Promise<TestSlave> {
  const slots = init.slots ?? 1;
  const starts = new EventQueue<Start>();
  const cancels = new EventQueue<AttemptId & { reason: string }>();
  const hellos = new EventQueue<HelloAnswer>();
  const working = init.working ?? [];
  let beaten = 0;
  const client = new RpcClient(components, {
    urls: [url].flat(),
    reconnectIntervalMs: 20,
    hello: () => ({
      role: 'slave',
      name,
      slots,
      sectorSize: null,
      attempts: working,
      ...(init.stores === undefined ? {} : { stores: init.stores }),
    }),
    onHello: (answer) => hellos.push(answer),
    handlers: {
      'attempt.start'(start, attachment) {
        if (init.accepts === false) return { accepted: false, reason: 'not in the mood' };
        starts.push(attachment === undefined ? start : { ...start, task: JSON.parse(attachment.toString()) });
        return { accepted: true, reason: null };
      },
      async 'attempt.cancel'(cancel) {
        cancels.push(cancel);
        await init.freeAfterCancel;
        return null;
      },
    },
  });
  await client.start();
  return {
    client,
    hellos,
    starts,
    cancels,
    working,
    async beat(phase, ...attempts) {
      beaten++;
      const beats = attempts.map(({ id, attempt }) => ({ id, attempt, phase, done: beaten, total: 9999 }));
      return (await client.call('slave.heartbeat', { attempts: beats, free: slots - beats.length })).closed;
    },
  };
}

export interface TestSubmitter {
  readonly client: RpcClient;
  readonly changes: EventQueue<{ id: string; state: string }>;
}

export async function joinSubmitter(url: string | readonly string[]): Promise<TestSubmitter> {
  const changes = new EventQueue<{ id: string; state: string }>();
  const client = new RpcClient(components, {
    urls: [url].flat(),
    reconnectIntervalMs: 20,
    hello: () => ({ role: 'submitter', name: 'manager' }),
    handlers: {
      'task.changed'(change) {
        changes.push(change);
        return null;
      },
    },
  });
  await client.start();
  return { client, changes };
}
