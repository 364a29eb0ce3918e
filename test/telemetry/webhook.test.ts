import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { AlertNotice } from '../../src/telemetry/alerts.ts';
import { Webhook } from '../../src/telemetry/webhook.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

interface Request {
  readonly body: unknown;
  answer(status: number): void;
}

let server: Server;
let requests: EventQueue<Request>;
let told: EventQueue<string>;
let webhook: Webhook;

beforeEach(async () => {
  requests = new EventQueue();
  told = new EventQueue();
  server = createServer((request, response) => void receive(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  start(systemClock);
});
afterEach(async () => {
  await webhook.close();
  server.close();
  server.closeAllConnections();
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  requests.push({
    body: JSON.parse(Buffer.concat(chunks).toString()),
    answer: (status) => response.writeHead(status).end('thank you'),
  });
}

function start(clock: typeof systemClock): void {
  const { port } = server.address() as AddressInfo;
  webhook = new Webhook(
    { clock, logger: silentLogger },
    {
      url: `http://127.0.0.1:${port}/hook`,
      manager: 'host1',
      retryMs: 10,
      onTold: ({ id, resolved }) => told.push(resolved === undefined ? `+${id}` : `-${id}`),
    },
  );
}

const notice = (id: string, more: Partial<AlertNotice> = {}): AlertNotice => ({
  id,
  class: 'partition-late',
  severity: 'warning',
  minerId: 1000,
  deadline: 5,
  text: 'late',
  since: 1_790_000_000_000,
  ...more,
});

test('an alert is one POST of JSON', async () => {
  webhook.send(notice('a'));
  const { body, answer } = await requests.next();
  expect(body).toEqual({
    id: 'a',
    class: 'partition-late',
    severity: 'warning',
    miner: 1000,
    deadline: 5,
    text: 'late',
    since: '2026-09-21T14:13:20.000Z',
    resolved: null,
    manager: 'host1',
  });
  answer(200);
  expect(await told.next()).toBe('+a');
});

test('it is sent again until it is taken, and of one condition only the newest', async () => {
  webhook.send(notice('a'));
  webhook.send(notice('b'));
  const first = await requests.next();
  expect(first.body).toMatchObject({ id: 'a' });
  webhook.send(notice('a', { resolved: 1_790_000_060_000 }));
  first.answer(503);
  const second = await requests.next();
  expect(second.body).toMatchObject({ id: 'b' });
  second.answer(204);
  const third = await requests.next();
  expect(third.body).toMatchObject({ id: 'a', resolved: '2026-09-21T14:14:20.000Z' });
  third.answer(200);
  expect([await told.next(), await told.next()]).toEqual(['+b', '-a']);
});

test('the end of a condition is told although its beginning is just being taken', async () => {
  webhook.send(notice('a'));
  const first = await requests.next();
  webhook.send(notice('a', { resolved: 1_790_000_060_000 }));
  first.answer(200);
  expect(await told.next()).toBe('+a');
  (await requests.next()).answer(200);
  expect(await told.next()).toBe('-a');
});

test('an alert that the receiver refuses does not stop the next one', async () => {
  webhook.send(notice('a'));
  webhook.send(notice('b'));
  (await requests.next()).answer(400);
  const next = await requests.next();
  expect(next.body).toMatchObject({ id: 'b' });
});

test('a receiver that hangs is given up after ten seconds, and asked again', async () => {
  await webhook.close();
  const clock = new ManualClock();
  start(clock);
  webhook.send(notice('a'));
  await requests.next();
  clock.advance(10_000);
  // The pause after the failure begins when the request is given up.
  await expect
    .poll(() => {
      clock.advance(10);
      return requests.size;
    })
    .toBe(1);
  (await requests.next()).answer(200);
  expect(await told.next()).toBe('+a');
});

test('closing does not wait for a receiver that hangs', async () => {
  webhook.send(notice('a'));
  await requests.next();
  await webhook.close();
  expect(told.size).toBe(0);
});
