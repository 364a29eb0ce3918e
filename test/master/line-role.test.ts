import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WindowPostTask } from '../../src/rpc/window-post.ts';
import { batchTask, proofOf, provenBy } from '../dispatch/batch-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';
import { joinSlave, type TestSlave } from './test-peers.ts';

const program = fileURLToPath(new URL('../../bin/wdpost-master-daemon', import.meta.url));
const verifier = fileURLToPath(new URL('../support/fake-verifier.mjs', import.meta.url));

interface LogLine {
  readonly msg: string;
  readonly [key: string]: unknown;
}

interface Line {
  readonly child: ChildProcess;
  /** Lines of its stdout. */
  readonly said: EventQueue<string>;
  readonly log: EventQueue<LogLine>;
  readonly exit: Promise<number | null>;
  ask(id: number, task: unknown): void;
}

let schema: TestDatabase;
let home: string;
let port: number;
const lines: Line[] = [];
const slaves: TestSlave[] = [];

beforeEach(async () => {
  schema = await createTestDatabase();
  home = await mkdtemp(join(tmpdir(), 'line-role-'));
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
  server.close();
});
afterEach(async () => {
  for (const { client } of slaves.splice(0)) await client.close();
  for (const { child, exit } of lines.splice(0)) {
    child.kill('SIGKILL');
    await exit;
  }
  await rm(home, { recursive: true });
  await schema.drop();
});

/** The master as a manager starts it: three pipes. */
async function start(init: { readonly url?: string; readonly server?: string } = {}) {
  const file = join(home, 'wdpost_master.toml');
  const server = `[server]\nlisten = '127.0.0.1:${port}'\n${init.server ?? ''}`;
  await writeFile(file, `${server}\n[db]\nurl = '${init.url ?? schema.url}'\n\n[task]\nretry_job_interval = '1s'\n`);
  const env = { ...process.env, WDPOST_PROVER: verifier, WDPOST_TOKEN: '' };
  const child = spawn(program, ['-c', file], { stdio: ['pipe', 'pipe', 'pipe'], env });
  const said = new EventQueue<string>();
  createInterface({ input: child.stdout }).on('line', (text) => said.push(text));
  const log = new EventQueue<LogLine>();
  createInterface({ input: child.stderr }).on('line', (text) =>
    log.push(text.startsWith('{') ? JSON.parse(text) : { msg: text }),
  );
  child.stdin.on('error', () => {});
  const exit = once(child, 'close').then(([code]) => code);
  const line = {
    child,
    said,
    log,
    exit,
    ask: (id: number, task: unknown) => child.stdin.write(`${JSON.stringify({ id, task })}\n`),
  };
  lines.push(line);
  expect(await said.next()).toBe('window_post processor ready');
  return line;
}

async function slave(name: string, slots = 1): Promise<TestSlave> {
  const joined = await joinSlave(`ws://127.0.0.1:${port}`, name, { slots });
  slaves.push(joined);
  return joined;
}

const listens = (line: Line) => line.log.until(({ msg }) => msg === 'master listens');

async function finish(worker: TestSlave) {
  const { id, attempt, task } = await worker.starts.next();
  const first = task?.replicas[0]?.sector_id ?? 0;
  return await worker.client.call('attempt.finish', { id, attempt, output: provenBy(first) });
}

const answerOf = (id: number, ...firsts: number[]) =>
  `{"id":${id},"err_msg":null,"output":{"proofs":["${Buffer.concat(firsts.map(proofOf)).toString('base64')}"],"faults":[]}}`;

test('requests are proven by slaves, answered each once; bad ones at once', async () => {
  const line = await start();
  line.ask(1, batchTask([1, 2, 3, 4, 5, 5]));
  line.ask(2, { ...batchTask([1]), replicas: null });
  line.ask(3, batchTask([8, 7]));
  expect(await line.said.next()).toMatch(/^\{"id":2,"err_msg":"the task's replicas: .*","output":null\}$/);
  await listens(line);
  const worker = await slave('worker', 4);
  for (let lease = 0; lease < 4; lease++) await finish(worker);
  expect([await line.said.next(), await line.said.next()].toSorted()).toEqual([answerOf(1, 1, 3, 5), answerOf(3, 7)]);
  line.child.stdin?.end();
  expect(await line.exit).toBe(0);
  expect(line.said.size).toBe(0);
});

test('is ready before its database is there, and ends with its parent', async () => {
  const line = await start({ url: 'mysql://root@127.0.0.1:1/wdpost' });
  line.ask(1, batchTask([1]));
  await line.log.until(({ msg }) => msg === 'waiting for the database');
  line.child.stdin?.end();
  expect(await line.exit).toBe(0);
});

test('three partitions of 32 GiB sectors in one request of megabytes', async () => {
  const line = await start();
  await listens(line);
  const task: WindowPostTask = {
    ...batchTask(Array.from({ length: 7_047 }, (_, index) => index + 1)),
    proof_type: 'StackedDrgWindow32GiBV1_2',
  };
  expect(JSON.stringify(task).length).toBeGreaterThan(2 ** 20);
  line.ask(1, task);
  const worker = await slave('worker', 3);
  for (let lease = 0; lease < 3; lease++) await finish(worker);
  const [a, b, c] = [1, 2_350, 4_699];
  expect(await line.said.next()).toBe(answerOf(1, a, b, c));
});

test('beside another child it is a front to that, and takes its place when it is killed', async () => {
  const first = await start();
  await listens(first);
  const worker = await slave('worker', 2);
  const second = await start();
  await second.log.until(({ msg }) => msg.startsWith('another master of this database'));
  second.ask(1, batchTask([1, 2]));
  await finish(worker);
  expect(await second.said.next()).toBe(answerOf(1, 1));

  second.ask(2, batchTask([3, 4]));
  const lease = await worker.starts.next();
  worker.working.push(lease);
  first.child.kill('SIGKILL');
  await listens(second);
  const verdict = await worker.client.call('attempt.finish', { ...lease, output: provenBy(3) });
  expect(verdict).toMatchObject({ accepted: true });
  expect(await second.said.next()).toBe(answerOf(2, 3));
}, 30_000);

test('a port that something else has is waited for', async () => {
  const stranger = createServer().listen(port, '127.0.0.1');
  await once(stranger, 'listening');
  const line = await start();
  line.ask(1, batchTask([1, 2]));
  await line.log.until(({ msg }) => msg.startsWith('the port is taken, and not by a master'));
  stranger.close();
  await listens(line);
  await finish(await slave('worker'));
  expect(await line.said.next()).toBe(answerOf(1, 1));
}, 30_000);

test('what was being proven when the parent went is found by its next child', async () => {
  const first = await start();
  await listens(first);
  const worker = await slave('worker');
  first.ask(7, batchTask([1, 2]));
  const lease = await worker.starts.next();
  worker.working.push(lease);
  const errors: LogLine[] = [];
  createInterface({ input: first.child.stderr as Readable }).on('line', (text) => {
    if (/"level":"(error|fatal)"/.test(text)) errors.push(JSON.parse(text));
  });
  first.child.stdin?.end();
  expect(await first.exit).toBe(0);
  await finished(first.child.stderr as Readable);
  expect(errors).toEqual([]);

  const second = await start();
  await listens(second);
  const verdict = await worker.client.call('attempt.finish', { ...lease, output: provenBy(1) });
  expect(verdict).toMatchObject({ accepted: true });
  second.ask(1, batchTask([1, 2]));
  expect(await second.said.next()).toBe(answerOf(1, 1));
}, 30_000);

test('it needs no token of its own where slaves need one', async () => {
  const tokens = join(home, 'tokens');
  await writeFile(tokens, 'slave secret-of-slaves\n');
  const line = await start({ server: `token_file = '${tokens}'\n` });
  line.ask(1, { ...batchTask([1]), seed: [] });
  expect(await line.said.next()).toMatch(/^\{"id":1,"err_msg":"the task's seed/);
});

test('hundreds of requests at once are answered each once', async () => {
  const line = await start();
  await listens(line);
  for (let id = 1; id <= 300; id++) line.ask(id, batchTask([1, 2 + (id % 4)]));
  const worker = await slave('worker', 4);
  for (let lease = 0; lease < 4; lease++) await finish(worker);
  const answered = new Set<number>();
  for (let count = 0; count < 300; count++) answered.add(JSON.parse(await line.said.next()).id);
  expect(answered.size).toBe(300);
}, 60_000);
