import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { SAMPLE_PROOF, sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';
import { joinSlave, joinSubmitter } from './test-peers.ts';

const program = fileURLToPath(new URL('../../bin/wdpost-master-daemon', import.meta.url));
const verifier = fileURLToPath(new URL('../support/fake-verifier.mjs', import.meta.url));

let schema: TestDatabase;
beforeAll(async () => {
  schema = await createTestDatabase();
});
afterAll(() => schema.drop());

let home: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wdpost-master-'));
});
afterEach(async () => {
  for (const child of children.splice(0))
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await rm(home, { recursive: true });
});

function run(...args: string[]): { child: ChildProcess; lines: EventQueue<string>; exit: Promise<number | null> } {
  const env = { ...process.env, WDPOST_PROVER: verifier, WDPOST_TOKEN: '' };
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  children.push(child);
  const lines = new EventQueue<string>();
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  return { child, lines, exit: once(child, 'close').then(([code]) => code) };
}

async function configFile(listen: string, url = schema.url): Promise<string> {
  const file = join(home, 'wdpost_master.toml');
  await writeFile(file, `[server]\nlisten = '${listen}'\n\n[db]\nurl = '${url}'\n`);
  return file;
}

async function portOf(lines: EventQueue<string>): Promise<number> {
  const line = await lines.until((text) => text.includes('master listens'));
  return JSON.parse(line).port;
}

test('killed at any moment it goes on where it was; told to end it ends with 0', async () => {
  const first = run('-c', await configFile('127.0.0.1:0'));
  const port = await portOf(first.lines);
  const submitter = await joinSubmitter(`ws://127.0.0.1:${port}`);
  const worker = await joinSlave(`ws://127.0.0.1:${port}`, 'worker');
  const { id } = await submitter.client.call('task.submit', { task: sampleTask(1), closeAt: null });
  const waiting = await submitter.client.call('task.submit', { task: sampleTask(2), closeAt: null });
  const lease = await worker.starts.next();
  worker.working.push(lease);
  first.child.kill('SIGKILL');
  await first.exit;

  const second = run(`-c=${await configFile(`127.0.0.1:${port}`)}`);
  await portOf(second.lines);
  const verdict = await worker.client.call('attempt.finish', { ...lease, output: SAMPLE_PROOF });
  expect(verdict).toMatchObject({ accepted: true });
  expect(await submitter.client.call('task.get', { id })).toMatchObject({ state: 'proven', attempts: 1 });
  expect(await worker.starts.next()).toMatchObject({ id: waiting.id, attempt: 1 });
  await Promise.all([submitter.client.close(), worker.client.close()]);
  second.child.kill('SIGTERM');
  expect(await second.exit).toBe(0);
});

test('waits for a database that is not there yet, and ends when told', async () => {
  const master = run('-c', await configFile('127.0.0.1:0', 'mysql://root@127.0.0.1:1/wdpost'));
  const line = await master.lines.until((text) => text.includes('waiting for the database'));
  expect(JSON.parse(line)).toMatchObject({ level: 'warn', error: expect.stringContaining('127.0.0.1:1') });
  master.child.kill('SIGTERM');
  expect(await master.exit).toBe(0);
});

test.each([
  ['a missing file', async () => join(home, 'none.toml'), 'none.toml'],
  [
    'a missing database',
    () => configFile('127.0.0.1:0', schema.url.replace(/\/test_\w+\?/, '/missing?')),
    'CREATE DATABASE',
  ],
])('%s is one line and exit code 1', async (_, file, text) => {
  const { lines, exit } = run('-c', await file());
  const line = await lines.until((candidate) => candidate.startsWith('error: '));
  expect(line).toContain(text);
  expect(await exit).toBe(1);
  expect(lines.size).toBe(0);
});

test('wrong usage is exit code 2', async () => {
  expect(await run().exit).toBe(2);
});
