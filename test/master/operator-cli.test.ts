import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { askMaster, type MasterOptions } from '../../src/programs/master/operator/ask-master.ts';
import { slaveVerbs } from '../../src/programs/master/operator/slave-verbs.ts';
import { taskVerbs } from '../../src/programs/master/operator/task-verbs.ts';
import { taskIn } from '../queue/each-state.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { endMasterProcess, type MasterProcess, runVerb, startMasterProcess } from './daemon-process.ts';
import { joinSlave, type TestSlave } from './test-peers.ts';

let home: string;
let schema: TestDatabase;
let master: MasterProcess;
let worker: TestSlave;
let proven: string;
let failed: string;

beforeAll(async () => {
  vi.stubEnv('WDPOST_TOKEN', '');
  home = await mkdtemp(join(tmpdir(), 'wdpost-cli-'));
  schema = await createTestDatabase();
  proven = await taskIn(schema.db, 'proven', 1);
  failed = await taskIn(schema.db, 'failed', 2);
  master = await startMasterProcess(home, { name: 'master', databaseUrl: schema.url });
  worker = await joinSlave(`ws://127.0.0.1:${master.port}`, 'gpu-1');
});
afterAll(async () => {
  await worker.client.close();
  await endMasterProcess(master);
  await schema.drop();
  await rm(home, { recursive: true });
});

const address = () => ({ master: `127.0.0.1:${master.port}` });
const verb = (...args: string[]) => runVerb(...args, '--master', address().master);

/** A verb in this process: `tasks show`. */
async function run(
  name: string,
  subject = '',
  options: Record<string, unknown> = {},
  place: MasterOptions = address(),
): Promise<{ readonly text: string; readonly json: unknown }> {
  const verbs = [taskVerbs, slaveVerbs].flatMap((group) =>
    group.verbs.map((one) => ({ ...one, path: `${group.name} ${one.name}` })),
  );
  const found = verbs.find(({ path }) => path === name);
  if (found === undefined) throw new Error(`no verb ${name}`);
  const defaults = Object.fromEntries(
    (found.options ?? []).map(({ flags, default: value }) => [/--(\w+)/.exec(flags)?.[1] ?? '', value]),
  );
  const written = { subject, options: { ...defaults, ...options } };
  return await found.run(askMaster({ clock: systemClock }, place), written, systemClock.now());
}

test('as a program: text, JSON, and what it ends with', async () => {
  const [list, json, none, usage, unknown, help, empty] = await Promise.all([
    verb('tasks', 'list', '--state', 'proven,faulted'),
    verb('tasks', 'show', proven.slice(0, 10), '--json'),
    verb('tasks', 'show', 'ffff-none'),
    runVerb('tasks', 'list'),
    verb('tasks', 'forget', proven),
    runVerb('tasks', 'list', '--help'),
    verb('tasks', 'archive', ''),
  ]);
  expect(list).toMatchObject({ code: 0, error: '' });
  expect(list.out).toMatch(new RegExp(`^ID .*\n${proven.slice(0, 12)} +proven +f01001 +2 .*\n$`));
  expect(JSON.parse(json.out)).toMatchObject({ id: proven, state: 'proven' });
  expect(none).toEqual({ code: 1, out: '', error: 'error: no task begins with ffff-none\n' });
  expect(usage).toMatchObject({ code: 2, out: '' });
  expect(usage.error).toContain('-c wdpost_master.toml, or --master host:port');
  expect(unknown.code).toBe(2);
  expect(help.code).toBe(0);
  expect(empty).toEqual({ code: 2, out: '', error: 'error: [id] is empty: is a variable of a script not set?\n' });
  for (const option of [
    '--state',
    '--miner',
    '--archived',
    '--limit',
    '--json',
    '--config',
    '--master',
    '--token-file',
  ]) {
    expect(help.out).toContain(option);
  }
});

test('lists and shows', async () => {
  expect((await run('tasks list')).text.split('\n')).toHaveLength(3);
  expect((await run('tasks list', '', { state: 'failed, faulted', miner: 'f01002', limit: '5' })).text).toContain(
    'failed',
  );
  expect((await run('tasks list', '', { limit: '1' })).text).toMatch(/the newest 1; --limit shows more$/);
  expect((await run('tasks list', '', { archived: true })).json).toEqual([]);
  expect((await run('tasks show', proven)).text).toContain(`id          ${proven}\nstate       proven\n`);
  expect((await run('slaves list')).json).toMatchObject([{ name: 'gpu-1', state: 'ready', slots: 1 }]);
});

test('what cannot be done is said in one line', async () => {
  await expect(run('tasks reset', proven)).rejects.toMatchObject({ code: 'task-proven' });
  await expect(run('tasks archive', 'none')).rejects.toMatchObject({ code: 'not-found' });
  await expect(run('tasks remove', 'none')).rejects.toMatchObject({ code: 'not-found' });
  await expect(run('slaves drain', 'nobody')).rejects.toMatchObject({ code: 'not-found' });
  await expect(run('slaves resume', 'nobody')).rejects.toMatchObject({ code: 'not-found' });
  await expect(run('tasks list', '', { state: 'asleep' })).rejects.toMatchObject({ code: 'usage' });
  await expect(run('tasks list', '', { limit: '0' })).rejects.toMatchObject({ code: 'usage' });
  await expect(run('tasks list', '', { miner: 'me' })).rejects.toMatchObject({ code: 'usage' });
  await expect(run('tasks list', '', {}, { master: '127.0.0.1:1' })).rejects.toMatchObject({
    code: 'master-unreachable',
    message: expect.stringMatching(/^the master at 127\.0\.0\.1:1 does not answer: is it running\?/),
  });
});

test('a task is reset, cancelled and removed; a slave drained and resumed', async () => {
  expect((await run('slaves drain', 'gpu-1')).text).toBe(
    'slave gpu-1 is drained\nwarning: no other slave is ready to work: nothing is proven until one comes or is resumed',
  );
  expect((await run('tasks reset', failed)).text).toBe(`task ${failed.slice(0, 12)} is waiting`);
  expect((await run('slaves resume', 'gpu-1')).text).toBe('slave gpu-1 is ready');
  expect(await worker.starts.next()).toMatchObject({ id: failed, attempt: 2 });
  await expect(run('tasks remove', failed)).rejects.toMatchObject({
    message: `task ${failed} runs: cancel it first, then remove it`,
  });
  const cancelled = await run('tasks cancel', failed, { reason: 'not now' });
  expect(cancelled.text).toBe(`task ${failed.slice(0, 12)} is cancelled`);
  expect(await worker.cancels.next()).toMatchObject({ id: failed, attempt: 2 });
  expect((await run('tasks archive')).text).toBe('2 tasks archived');
  expect((await run('tasks remove', failed)).json).toEqual({ removed: true });
});

test('the file of a master gives its address and token; a wrong token is said', async () => {
  const tokenFile = join(home, 'tokens');
  const wrong = join(home, 'wrong');
  await writeFile(tokenFile, '# operators\nread,admin secret-of-operators\nslave secret-of-slaves\n');
  await writeFile(wrong, 'guessed\n');
  const server = `token_file = '${tokenFile}'\n`;
  const port = await freePort();
  const guarded = await startMasterProcess(home, { name: 'guarded', databaseUrl: schema.url, port, server });
  // It stands by and sends us on to the leader, which wants no token.
  const config = guarded.file;
  expect((await run('slaves list', '', {}, { config })).json).toHaveLength(1);
  await expect(run('slaves list', '', {}, { config, tokenFile: wrong })).rejects.toMatchObject({
    code: 'unauthorized',
  });
  await expect(run('slaves list', '', {}, { master: `127.0.0.1:${port}` })).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('no token was shown'),
  });
  await endMasterProcess(guarded);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
