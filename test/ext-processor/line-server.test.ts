import { PassThrough } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { CodedError } from '../../src/errors/coded-error.ts';
import { type AnswerTask, LineServer } from '../../src/ext-processor/line-server.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Asked {
  readonly task: { readonly name?: string };
  answer(output: object): void;
  fail(error: Error): void;
}

/** A server whose tasks the test answers itself. */
function serve(answer?: AnswerTask) {
  const input = new PassThrough();
  const output = new PassThrough();
  const asked = new EventQueue<Asked>();
  const stop = new AbortController();
  const ask: AnswerTask = (task) =>
    new Promise((resolve, reject) => asked.push({ task, answer: resolve, fail: reject }));
  const server = new LineServer(
    { logger: silentLogger },
    { stage: 'window_post', input, output, answer: answer ?? ask },
  );
  const served = server.serve(stop.signal);
  stops.push(async () => {
    stop.abort();
    await served.catch(() => {});
  });
  let text = '';
  output.on('data', (chunk) => {
    text += chunk;
  });
  return { input, asked, served, stop, said: () => text };
}

const READY = 'window_post processor ready\n';

test('says its ready line first, then answers byte for byte as parents read them', async () => {
  const { input, asked, said } = serve();
  await vi.waitFor(() => expect(said()).toBe(READY));
  input.write('{"id":1,"task":{"name":"a"}}\n{"id":2,"task":{"name":"b"}}\n');
  const [first, second] = [await asked.next(), await asked.next()];
  second.answer({ proofs: [], faults: [7] });
  first.answer({ proofs: ['AQ=='], faults: [] });
  await vi.waitFor(() =>
    expect(said()).toBe(
      `${READY}{"id":2,"err_msg":null,"output":{"proofs":[],"faults":[7]}}\n` +
        '{"id":1,"err_msg":null,"output":{"proofs":["AQ=="],"faults":[]}}\n',
    ),
  );
});

test('an error is an err_msg of one line, without the % that the older parent would format', async () => {
  const { input, asked, said } = serve();
  input.write('{"id":1,"task":{}}\n');
  (await asked.next()).fail(new CodedError('bad-task', '100% "wrong",\nsee %s'));
  const expected = '{"id":1,"err_msg":"100\uFF05 \\"wrong\\", see \uFF05s","output":null}\n';
  await vi.waitFor(() => expect(said()).toBe(READY + expected));
});

test.each([
  ['an id beyond what a number holds', '{"id":18446744073709551615,"task":{}}', '18446744073709551615'],
  [
    'such an id behind others',
    String.raw`{"task":{"id":1,"a":["\"id\":2}"]},"b":"id","id" : 9007199254740993 }`,
    '9007199254740993',
  ],
  ['id 0, as old Rust parents begin', '{"id":0,"task":{}}', '0'],
  ['the task first', '{"task":{"id":5},"id":3}', '3'],
  ['CRLF', '{"id":4,"task":{}}\r', '4'],
  ['white space and keys of others', ' { "id" : 6 , "task" : {} , "trace" : 1 }', '6'],
])('answers %s', async (_, line, id) => {
  const { input, said } = serve(async () => ({ ok: true }));
  input.write(`${line}\n`);
  await vi.waitFor(() => expect(said()).toBe(`${READY}{"id":${id},"err_msg":null,"output":{"ok":true}}\n`));
});

test.each(['{"id":9}', '{"id":9,"task":null}', '{"id":9,"task":"x"}'])('%s is answered with an error', async (line) => {
  const { input, said } = serve(async () => ({ ok: true }));
  input.write(`${line}\n`);
  const answer = '{"id":9,"err_msg":"the request has no task","output":null}\n';
  await vi.waitFor(() => expect(said()).toBe(READY + answer));
});

test('what is no request is skipped, and the next one answered', async () => {
  const { input, said } = serve(async () => ({ ok: true }));
  const junk = [
    '',
    'junk',
    '{',
    '[1]',
    'null',
    '7',
    '{}',
    '{"id":"1","task":{}}',
    '{"id":-1,"task":{}}',
    '{"id":1.5}',
    '{"id":1e30}',
    '{"id":-9007199254740993}',
  ];
  input.write(`${junk.join('\n')}\n{"id":1,"task":{}}\n`);
  await vi.waitFor(() => expect(said()).toBe(`${READY}{"id":1,"err_msg":null,"output":{"ok":true}}\n`));
});

test('an id that is being answered is not asked twice', async () => {
  const { input, asked, said } = serve();
  input.write('{"id":1,"task":{}}\n{"id":1,"task":{}}\n{"id":2,"task":{}}\n');
  (await asked.next()).answer({});
  (await asked.next()).answer({});
  await vi.waitFor(() => expect(said().match(/"id"/g)).toHaveLength(2));
  expect(asked.size).toBe(0);
});

test('a line of megabytes comes in any pieces, split characters too', async () => {
  const { input, asked, said } = serve();
  const name = 'ü漢\u2028'.repeat(300_000);
  const bytes = Buffer.from(`{"id":1,"task":{"name":"${name}"}}\n`);
  for (let at = 0; at < bytes.length; at += 65_537) input.write(bytes.subarray(at, at + 65_537));
  const { task, answer } = await asked.next();
  expect(task.name === name).toBe(true);
  answer({});
  await vi.waitFor(() => expect(said()).toContain('"id":1'));
});

test('a thousand are asked at once, the others when one is answered', async () => {
  const { input, asked } = serve();
  input.write(Array.from({ length: 1_500 }, (_, id) => `{"id":${id},"task":{}}\n`).join(''));
  await vi.waitFor(() => expect(asked.size).toBe(1_000));
  (await asked.next()).answer({});
  await vi.waitFor(() => expect(asked.size).toBe(1_000));
});

test("the parent's end is the end: nothing is said after it", async () => {
  const { input, asked, served, said } = serve();
  input.write('{"id":1,"task":{}}\n{"id":2,"ta');
  const { answer } = await asked.next();
  input.end();
  await served;
  answer({});
  await new Promise(setImmediate);
  expect(said()).toBe(READY);
});

test('the signal ends it', async () => {
  const { stop, served } = serve();
  stop.abort();
  await served;
});
