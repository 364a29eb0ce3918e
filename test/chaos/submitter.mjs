#!/usr/bin/env node
// Submits the tasks of a schedule until it has an answer for each, and writes down what it is told. Killed and started again it
// reads its own log and goes on, as a manager would. Lines of stdin are orders: `cancel ID`, `drain SLAVE`, `resume SLAVE`.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { systemClock } from '../../dist/clock/system-clock.js';
import { RpcClient } from '../../dist/rpc/rpc-client.js';
import { createLogger } from '../../dist/telemetry/logger.js';
import { effect, monotonicNow, proofName } from './effects-log.mjs';

const PROBE_MS = 50;
const POLL_MS = 500;
const PAUSE_MS = 100;
const CALL_LIMIT_MS = 1_000;
const FINISHED = new Set(['proven', 'faulted', 'failed', 'cancelled']);

const { urls, token, tasks } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const answered = new Set(
  readFileSync(process.env.CHAOS_EFFECTS, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"answer"'))
    .map((line) => JSON.parse(line).work),
);
const open = new Set();

const client = new RpcClient(
  { clock: systemClock, logger: createLogger('submitter') },
  {
    urls,
    token,
    reconnectIntervalMs: PAUSE_MS,
    hello: () => ({ role: 'submitter', name: 'submitter' }),
    handlers: {
      'task.changed'({ id, state }) {
        if (FINISHED.has(state) && open.has(id)) void ask(id);
        return null;
      },
    },
  },
);

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function insist(method, params) {
  for (;;) {
    try {
      return await client.call(method, params, { timeoutMs: CALL_LIMIT_MS });
    } catch {
      await pause(PAUSE_MS);
    }
  }
}

function note(id, view) {
  if (view === null || !FINISHED.has(view.state) || !open.delete(id)) return;
  const proof = view.output?.proofs[0];
  effect('answer', { work: id, state: view.state, ...(proof === undefined ? {} : { proof: proofName(proof) }) });
}

async function ask(id) {
  note(id, await client.call('task.get', { id }, { timeoutMs: CALL_LIMIT_MS }).catch(() => null));
}

async function submit({ id, task, submitAt, closeAt }) {
  if (answered.has(id)) return;
  await pause(Math.max(0, submitAt - Date.now()));
  open.add(id);
  const view = await insist('task.submit', { task, closeAt });
  effect('submitted', { work: id, given: view.id });
  note(id, view);
}

/** One after the other, each as soon as the one before is answered: how long the service was away. */
async function probe() {
  for (;;) {
    const asked = monotonicNow();
    await client.call('task.get', { id: 'probe' }, { timeoutMs: CALL_LIMIT_MS }).then(
      () => effect('probe', { asked }),
      () => {},
    );
    await pause(PROBE_MS);
  }
}

async function poll() {
  for (;;) {
    await pause(POLL_MS);
    for (const id of open) await ask(id);
  }
}

async function obey(line) {
  const [order, name] = line.split(' ');
  if (order === 'cancel') await insist('task.cancel', { id: name, reason: 'the schedule says so' });
  else await insist(`slaves.${order}`, { name });
  effect('obeyed', { order, name });
}

createInterface({ input: process.stdin }).on('line', (line) => void obey(line));
await client.start();
void probe();
void poll();
for (const task of tasks) void submit(task);
