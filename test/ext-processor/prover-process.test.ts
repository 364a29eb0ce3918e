import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { ProverProcess, type ProverProcessInit } from '../../src/ext-processor/prover-process.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { answering, isAlive, READY, saying, scripted } from './scripted.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent' });
const children: ProverProcess[] = [];

function prover(init: ProverProcessInit = scripted()): ProverProcess {
  const child = new ProverProcess({ clock: systemClock, logger }, init);
  children.push(child);
  return child;
}

async function started(init?: ProverProcessInit): Promise<ProverProcess> {
  const child = prover(init);
  await child.start();
  return child;
}

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
});

describe('start', () => {
  test.each([
    [
      'another stage',
      { first: 'winning_post processor ready\n' },
      'prover-not-ready',
      /said "winning_post processor ready"/,
    ],
    ['noise before the ready line', { first: `hello\n${READY}` }, 'prover-not-ready', /said "hello"/],
    ['an exit', { stderr: 'no parameters in /x\n', exit: 1 }, 'prover-exited', /exit code 1: no parameters in \/x$/],
  ])('fails on %s', async (_name, begin, code, message) => {
    await expect(prover(scripted(begin)).start()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('fails on a program that does not exist', async () => {
    const init = { ...scripted(), bin: '/nonexistent/prover' };
    await expect(prover(init).start()).rejects.toMatchObject({ code: 'prover-not-started' });
  });

  test('fails when the ready line does not come in time, and ends the child', async () => {
    const child = prover({ ...scripted({}), readyTimeoutMs: 300 });
    const starting = child.start();
    const pid = child.pid ?? 0;
    await expect(starting).rejects.toMatchObject({ code: 'time-limit' });
    expect(isAlive(pid)).toBe(false);
  });

  test('is refused while a child runs, and works again after its end', async () => {
    const child = await started();
    await expect(child.start()).rejects.toMatchObject({ code: 'prover-running' });
    await child.kill();
    await child.start();
    await expect(child.request(saying(answering({ again: true })))).resolves.toEqual({ again: true });
  });
});

describe('request', () => {
  test('resolves with the output, answers in any order', async () => {
    const child = await started();
    const order: number[] = [];
    const first = child.request({ ...saying(answering(1)), hold: 1 }).then((output) => order.push(Number(output)));
    const second = child.request(saying(answering(2))).then((output) => order.push(Number(output)));
    await Promise.all([first, second]);
    expect(order).toEqual([2, 1]);
  });

  test.each([
    ['an err_msg', '{"id":$ID,"err_msg":"no 100% luck","output":null}\n', 'no 100% luck'],
    ['an empty err_msg', '{"id":$ID,"err_msg":"","output":{"proofs":[]}}\n', 'the prover failed and gave no reason'],
    ['no output', '{"id":$ID,"err_msg":null,"output":null}\n', 'the prover answered with neither output nor err_msg'],
  ])('rejects on %s', async (_name, line, message) => {
    const child = await started();
    await expect(child.request(saying(line))).rejects.toMatchObject({ code: 'prover-failed', message });
  });

  test('passes over junk, unknown ids, second and third answers, CRLF and cut lines', async () => {
    const warned = vi.spyOn(logger, 'warn');
    onTestFinished(() => warned.mockRestore());
    const child = await started();
    const text = 'ü\u2028漢';
    const whole = Buffer.from(`{"id":1,"err_msg":null,"output":"${text}"}\r\n`);
    const bytes = [...whole].map((byte) => Buffer.from([byte]));
    const junk = ['junk\n', '\n', '[1]\n', '{"id":"x"}\n', answering(null).replace('$ID', '77')];
    await expect(child.request(saying(...junk, ...bytes))).resolves.toBe(text);
    const thrice = [answering(1), answering(2), answering(3)];
    await expect(child.request(saying(...thrice))).resolves.toBe(1);
    await expect(child.request(saying(answering('alive')))).resolves.toBe('alive');
    const notes = warned.mock.calls.map(([, message]) => String(message));
    expect(notes.filter((note) => note.includes('not of the protocol'))).toHaveLength(4);
    expect(notes.filter((note) => note.includes('no request in flight'))).toHaveLength(3);
  });

  test('carries lines of megabytes both ways', async () => {
    const child = await started();
    const big = 'x'.repeat(3_000_000);
    await expect(child.request(saying(answering(big)))).resolves.toHaveLength(big.length);
  });

  test('passes on the JSON of a task as bytes, also of one over several lines', async () => {
    const child = await started();
    const task = saying(answering('漢'));
    await expect(child.request(Buffer.from(JSON.stringify(task)))).resolves.toBe('漢');
    await expect(child.request(Buffer.from(JSON.stringify(task, undefined, 2)))).resolves.toBe('漢');
  });

  test('hands on progress', async () => {
    const child = await started();
    const onProgress = vi.fn();
    const line = '{"id":$ID,"progress":{"phase":"reading","done":1,"total":2}}\n';
    await child.request(saying(line, answering(1)), { onProgress });
    expect(onProgress).toHaveBeenCalledExactlyOnceWith({ phase: 'reading', done: 1, total: 2 });
  });

  test('rejects when the child ends, with its exit code and last words; a cut answer is none', async () => {
    const child = await started();
    const task = { ...saying(answering(1).trimEnd()), stderr: 'first\nout of memory\n', exit: 9 };
    const other = child.request({ ...saying(answering(2)), hold: 1 });
    const message = expect.stringMatching(/exit code 9: out of memory$/);
    await Promise.all([
      expect(other).rejects.toMatchObject({ code: 'prover-exited', message }),
      expect(child.request(task)).rejects.toMatchObject({ code: 'prover-exited', message }),
    ]);
    await expect(child.request(task)).rejects.toMatchObject({ code: 'prover-exited' });
  });

  test('takes an answer that was written just before the end', async () => {
    const child = await started();
    const last = 'x'.repeat(100_000);
    await expect(child.request({ ...saying(answering(last)), exit: 0 })).resolves.toHaveLength(last.length);
  });

  test('rejects with the reason of its signal, and a late answer harms nobody', async () => {
    const child = await started();
    const stop = new AbortController();
    const waiting = child.request({ ...saying(answering(1)), hold: 1 }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(child.request({}, { signal: stop.signal })).rejects.toThrow('enough');
    await expect(child.request(saying(answering(2)))).resolves.toBe(2);
  });
});

/** A child with a grandchild that holds its pipes, and the pid of that. */
async function withGrandchild() {
  const logged: string[] = [];
  const logging = Object.assign(Object.create(logger), { info: (data: { line: string }) => logged.push(data.line) });
  const init = scripted({ first: READY, grandchild: true });
  const child = new ProverProcess({ clock: systemClock, logger: logging }, init);
  children.push(child);
  await child.start();
  const line = await vi.waitUntil(() => logged.find((text) => text.startsWith('grandchild ')), { timeout: 10_000 });
  return { child, grandchild: Number(line.split(' ')[1]) };
}

test('the end of a child is noticed though a grandchild holds its pipes, and ends that too', async () => {
  const { child, grandchild } = await withGrandchild();
  await expect(child.request({ exit: 3 })).rejects.toMatchObject({ code: 'prover-exited' });
  await vi.waitUntil(() => !isAlive(grandchild), { timeout: 10_000 });
});

test('kill rejects requests in flight and takes the whole process group along', async () => {
  const { child, grandchild } = await withGrandchild();
  const waiting = expect(child.request({ hold: 1 })).rejects.toMatchObject({ code: 'prover-exited' });
  const pid = child.pid ?? 0;
  await child.kill();
  await waiting;
  expect(isAlive(pid)).toBe(false);
  await vi.waitUntil(() => !isAlive(grandchild), { timeout: 10_000 });
});

test('a signal that outlives its requests is not listened to any more', async () => {
  const child = await started();
  const { signal } = new AbortController();
  for (let i = 0; i < 2; i++) await child.request(saying(answering(1)), { signal });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
