import { createHash } from 'node:crypto';
import { systemClock } from '../src/clock/system-clock.ts';
import type { WindowPostTask } from '../src/rpc/window-post.ts';
import type { FromRole, ToRole } from './role-messages.ts';
import { monotonicNs } from './stage.ts';
import { random } from './stats.ts';
import { systemNamed } from './systems/all.ts';
import type { Consumer, Producer } from './systems/system.ts';
import { numberOf, taskMaker } from './tasks.ts';

/** The producer, or one consumer, of a system: `role.js producer|consumer SYSTEM PLACE`; told what to do over the IPC channel. */
const [, , role, systemName = '', place = ''] = process.argv;
const system = systemNamed(systemName);

/** Submissions at the same time. */
const IN_FLIGHT = 16;
/** Timers of Node are a millisecond coarse: the rest is waited for without one. */
const TIMER_SLACK_NS = 1_500_000;
const TELL_MS = 20;

const starts: [number, number][] = [];
let finished = 0;
let lastAt = 0;
let told = 0;
let producer: Producer | undefined;
let consumer: Consumer | undefined;

function send(message: FromRole): void {
  process.send?.(message);
}

function onFinished(): void {
  finished++;
  lastAt = monotonicNs();
}

function tell(): void {
  if (told !== finished) send({ type: 'finished', count: finished, lastAt });
  told = finished;
  systemClock.after(TELL_MS, tell);
}

function handle(text: string): Buffer {
  const at = monotonicNs();
  const task = JSON.parse(text) as WindowPostTask;
  starts.push([numberOf(task), at]);
  return createHash('sha256').update(text).digest();
}

async function backlog({ body, count, first }: ToRole & { type: 'backlog' }): Promise<void> {
  const make = taskMaker(body);
  const from = monotonicNs();
  let next = first;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (next < first + count) await producer?.enqueue(make(next++));
    }),
  );
  send({ type: 'enqueued', sends: [], ns: monotonicNs() - from });
}

/** Open loop: sends when it is time, whatever became of the ones before. */
async function arrivals({ body, rate, count, first, seed }: ToRole & { type: 'arrivals' }): Promise<void> {
  const make = taskMaker(body);
  const draw = random(seed);
  const sends: [number, number][] = [];
  const pending: Promise<void>[] = [];
  const from = monotonicNs();
  let due = from;
  for (let number = first; number < first + count; number++) {
    due += (-Math.log(1 - draw()) / rate) * 1e9;
    await sleepUntil(due);
    sends.push([number, due]);
    const sent = producer?.enqueue(make(number));
    if (sent !== undefined) pending.push(sent);
  }
  await Promise.all(pending);
  send({ type: 'enqueued', sends, ns: monotonicNs() - from });
}

async function sleepUntil(at: number): Promise<void> {
  const left = at - TIMER_SLACK_NS - monotonicNs();
  if (left > 0) await systemClock.sleep(left / 1e6);
  while (monotonicNs() < at) await new Promise((resolve) => setImmediate(resolve));
}

async function obey(message: ToRole): Promise<void> {
  if (message.type === 'backlog') await backlog(message);
  if (message.type === 'arrivals') await arrivals(message);
  if (message.type === 'consume') consumer = await system.consumer?.(place, { handle, finished: onFinished });
  if (message.type === 'report') send({ type: 'starts', starts: starts.splice(0) });
  if (message.type === 'end') {
    await consumer?.close();
    await producer?.close();
    process.exit(0);
  }
}

process.on('message', (message: ToRole) => void obey(message));
process.on('disconnect', () => process.exit(1));
if (role === 'producer') producer = await system.producer(place, { finished: onFinished });
tell();
send({ type: 'ready' });
