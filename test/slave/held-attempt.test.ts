import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProvingSlot } from '../../src/programs/slave/proving-slot.ts';
import { Workshop } from '../../src/programs/slave/workshop.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

const MINUTE_MS = 60_000;

/** Its wall clock is ahead of its steady one, and of what the master goes by. */
class WrongClock extends ManualClock {
  aheadMs = 40 * MINUTE_MS;

  override now(): number {
    return super.now() + this.aheadMs;
  }
}

let clock: WrongClock;
let client: { isConnected: boolean; call: () => Promise<never> };
let ended: EventQueue<string>;
let workshop: Workshop;
beforeEach(() => {
  clock = new WrongClock();
  ended = new EventQueue();
  client = { isConnected: true, call: () => Promise.reject(new Error('the master is away')) };
  const prove: ProvingSlot['prove'] = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        ended.push(signal.reason.code);
        reject(signal.reason);
      });
    });
  const slots = [{ isFree: true, prove } as unknown as ProvingSlot];
  workshop = new Workshop({ clock, logger: silentLogger, slots, client, attached: [] });
});
afterEach(() => workshop.drop({ id: 'task', attempt: 1 }, 'the test ends'));

function start(closesInMs?: number): void {
  // By the clock of the database.
  const closeAt = clock.monotonic() + 30 * MINUTE_MS;
  const lease = { id: 'task', attempt: 1, closeAt, ...(closesInMs !== undefined && { closesInMs }) };
  expect(workshop.start(lease, Buffer.from('{}')).accepted).toBe(true);
}

test('a clock that is ahead, or is set meanwhile, ends no proof while the master is away', () => {
  start(30 * MINUTE_MS);
  client.isConnected = false;
  clock.advance(15 * MINUTE_MS);
  clock.aheadMs = 24 * 60 * MINUTE_MS;
  clock.advance(15 * MINUTE_MS + 29_000);
  expect(ended.size).toBe(0);
  // Now it is closed by the time that the master left it.
  clock.advance(10_000);
  expect(ended.size).toBe(1);
});

test('a clock that is behind does not keep a proof beyond Close', async () => {
  clock.aheadMs = -40 * MINUTE_MS;
  start(30 * MINUTE_MS);
  client.isConnected = false;
  clock.advance(31 * MINUTE_MS);
  expect(await ended.next()).toBe('deadline-closed');
});

test('Close is the matter of the master while it is there', () => {
  start(MINUTE_MS);
  clock.advance(60 * MINUTE_MS);
  expect(ended.size).toBe(0);
});

test('where an older master says nothing of what is left, the wall clock of the start says it', () => {
  clock.aheadMs = 10 * MINUTE_MS;
  start();
  client.isConnected = false;
  clock.aheadMs = 0;
  clock.advance(20 * MINUTE_MS);
  expect(ended.size).toBe(0);
  clock.advance(MINUTE_MS);
  expect(ended.size).toBe(1);
});
