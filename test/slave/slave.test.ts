import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { CodedError } from '../../src/errors/coded-error.ts';
import { fakeTask, prover, proverEnv } from '../ext-processor/real-prover.ts';
import { answering, isAlive, saying } from '../ext-processor/scripted.ts';
import { startMaster } from './scripted-master.ts';
import { rewriteProver, scriptedProver, startSlave, taskThat } from './test-slave.ts';

const output = { proofs: ['AAAA'], faults: [] };
const proves = taskThat(saying(answering(output)));
const neverEnds = taskThat({ hold: 1 });
const id = 'a'.repeat(32);
const yes = { accepted: true, reason: null };

const bodyOf = (task: object): Uint8Array => Buffer.from(JSON.stringify(task));

async function world(
  init: Parameters<typeof startMaster>[0] = {},
  slaveInit: Omit<Parameters<typeof startSlave>[1], 'env'> = {},
) {
  const master = await startMaster(init);
  const slave = startSlave(master.port, { env: { WDPOST_PROVER: await scriptedProver() }, ...slaveInit });
  const hello = await master.hellos.next();
  const start = (attempt: number, task = proves, closeAt: number | null = null) =>
    master.slave.call('attempt.start', { id, attempt, closeAt }, { attachment: bodyOf(task) });
  return { master, slave, hello, start };
}

test('a real proof: start, progress in heartbeats, finish', async () => {
  const store = await mkdtemp(join(tmpdir(), 'slave-'));
  onTestFinished(() => rm(store, { recursive: true }));
  const task = await fakeTask(store, 2);
  const master = await startMaster();
  const slave = startSlave(master.port, { env: { ...proverEnv, WDPOST_PROVER: prover, FORCE_SECTOR_SIZE: '2048' } });
  const hello = await master.hellos.next();
  expect(hello).toMatchObject({ role: 'slave', name: 'slave-under-test', slots: 1, sectorSize: 2048, attempts: [] });
  const facts = { minerId: 1000, proofType: task.proof_type, sectors: 2 };
  const start = { id, attempt: 1, closeAt: null, facts };
  await expect(master.slave.call('attempt.start', start, { attachment: bodyOf(task) })).resolves.toEqual(yes);
  const beat = await master.beats.until(({ attempts }) => attempts[0]?.phase === 'proving');
  expect(beat).toMatchObject({ attempts: [{ id, attempt: 1 }], free: 0 });
  const result = await master.finished.next();
  expect(result).toMatchObject({ id, attempt: 1, output: { faults: [] } });
  expect(Buffer.from(result.output.proofs[0] ?? '', 'base64')).toHaveLength(192);
  await expect(slave.logs.until(({ msg }) => msg === `got task: ${id}`)).resolves.toMatchObject(facts);
  await slave.logs.until(({ msg }) => msg.startsWith(`slave: task: ${id}`));
});

test('every slot takes one attempt, each with a TMPDIR of its own; the same start again is the same attempt', async () => {
  const { slave, hello, start } = await world({}, { slave: { concurrent: 2 } });
  expect(hello.slots).toBe(2);
  const pids = [await slave.nextProver(), await slave.nextProver()];
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8')));
  const dirs = environments.map((text) => /TMPDIR=([^\0]+)/.exec(text)?.[1] ?? '');
  expect(new Set(dirs).size).toBe(2);
  await expect(start(1, neverEnds)).resolves.toEqual(yes);
  await expect(start(1, neverEnds)).resolves.toEqual(yes);
  await expect(start(2, neverEnds)).resolves.toEqual(yes);
  await expect(start(3)).resolves.toEqual({ accepted: false, reason: 'no free slot' });
  await slave.stop();
  const left = await readdir(tmpdir());
  expect(dirs.filter((dir) => left.includes(dir.split('/').at(-1) ?? ''))).toEqual([]);
});

describe('an attempt that the master has closed', () => {
  test('by a cancel: its prover is killed, its slot free again, nothing is reported', async () => {
    const { master, slave, start } = await world();
    const pid = await slave.nextProver();
    await start(1, neverEnds);
    await master.slave.call('attempt.cancel', { id, attempt: 1, reason: 'its deadline is over' });
    const next = await slave.nextProver();
    expect(isAlive(pid)).toBe(false);
    expect(isAlive(next)).toBe(true);
    await master.beats.until(({ attempts, free }) => attempts.length === 0 && free === 1);
    await expect(start(2)).resolves.toEqual(yes);
    await expect(master.finished.next()).resolves.toMatchObject({ attempt: 2 });
    expect([master.finished.size, master.failed.size]).toEqual([0, 0]);
  });

  test('by the answer to a heartbeat', async () => {
    const { master, slave, start } = await world();
    const pid = await slave.nextProver();
    await start(1, neverEnds);
    master.closed.push({ id, attempt: 1 });
    await slave.nextProver();
    expect(isAlive(pid)).toBe(false);
    expect(master.failed.size).toBe(0);
  });

  test('while it was away: its outcome is not delivered', async () => {
    const { master, slave, start } = await world();
    await slave.nextProver();
    await start(1, neverEnds);
    await master.close();
    const second = await startMaster({ port: master.port, hello: { closed: [{ id, attempt: 1 }] } });
    await expect(second.hellos.next()).resolves.toMatchObject({ slots: 1, attempts: [{ id, attempt: 1 }] });
    await slave.nextProver();
    await second.beats.until(({ attempts, free }) => attempts.length === 0 && free === 1);
    expect(second.failed.size).toBe(0);
  });
});

describe('a result', () => {
  test('made while the master is away is delivered to the next one, not proven again', async () => {
    const { master, slave, start } = await world();
    await slave.nextProver();
    const untilFile = join(await mkdtemp(join(tmpdir(), 'slave-')), 'go');
    onTestFinished(() => rm(dirname(untilFile), { recursive: true }));
    await start(1, taskThat({ ...saying(answering(output)), untilFile }));
    await master.close();
    await slave.logs.until(({ msg }) => msg === 'rpc: not connected to the master');
    await writeFile(untilFile, '');
    const second = await startMaster({ port: master.port });
    await expect(second.hellos.next()).resolves.toMatchObject({ attempts: [{ id, attempt: 1 }] });
    await expect(second.finished.next()).resolves.toEqual({ id, attempt: 1, output });
    await second.beats.until(({ attempts, free }) => attempts.length === 0 && free === 1);
    expect(second.finished.size).toBe(0);
  });

  test('is offered again while the master cannot take it, and its lease kept alive', async () => {
    let refusals = 2;
    const { master, slave, start } = await world({
      handlers: {
        'attempt.finish': async () => {
          if (refusals-- > 0) throw new CodedError('database-unavailable', 'the database is away');
          return yes;
        },
      },
    });
    await start(1);
    await master.beats.until(({ attempts, free }) => attempts.length === 1 && free === 1);
    await slave.logs.until(({ msg }) => msg === 'outcome not delivered yet');
    await slave.logs.until(({ msg }) => msg.startsWith('slave: task: '));
    expect(refusals).toBe(-1);
  });

  test('that the master does not take is let go', async () => {
    const { master, slave, start } = await world({
      handlers: { 'attempt.finish': async () => ({ accepted: false, reason: 'closed' }) },
    });
    await start(1);
    await slave.logs.until(({ msg }) => msg.startsWith('slave: task: '));
    await master.beats.until(({ attempts, free }) => attempts.length === 0 && free === 1);
  });
});

describe('a failure', () => {
  test.each([
    ['an err_msg', taskThat(saying('{"id":$ID,"err_msg":"no GPU","output":null}\n')), /^no GPU$/],
    ['an output that is none', taskThat(saying(answering({ proofs: 1 }))), /no output/],
    ['the end of the prover', taskThat({ stderr: 'out of memory\n', exit: 9 }), /exit code 9: out of memory$/],
  ])('%s is reported as the slave’s own', async (_name, task, reason) => {
    const { master, start } = await world();
    await start(1, task);
    await expect(master.failed.next()).resolves.toEqual({
      id,
      attempt: 1,
      class: 'slave',
      reason: expect.stringMatching(reason),
    });
  });

  test('the slave is stopped: others may try, and no child is left', async () => {
    const { master, slave, start } = await world();
    const pid = await slave.nextProver();
    await start(1, neverEnds);
    await slave.stop();
    await expect(master.failed.next()).resolves.toMatchObject({ class: 'transient', reason: 'the slave is stopping' });
    expect(isAlive(pid)).toBe(false);
  });
});

describe('Close', () => {
  const anHourFast: Clock = { ...systemClock, now: () => Date.now() + 3_600_000 };

  test('is the master’s to judge: a slave whose clock is an hour fast proves all the same', async () => {
    const { master, start } = await world({}, { clock: anHourFast });
    const untilFile = join(await mkdtemp(join(tmpdir(), 'slave-')), 'go');
    onTestFinished(() => rm(dirname(untilFile), { recursive: true }));
    const task = taskThat({ ...saying(answering(output)), untilFile });
    await expect(start(1, task, Date.now() + 60_000)).resolves.toEqual(yes);
    // By then the slave has looked at the time left: the first time after a second.
    for (let beats = 0; beats < 75; beats++) await master.beats.until(({ attempts }) => attempts.length === 1);
    await writeFile(untilFile, '');
    await expect(master.finished.next()).resolves.toMatchObject({ attempt: 1 });
    expect(master.failed.size).toBe(0);
  });

  test('while the master is away it ends the proof, and the next master hears of it', async () => {
    const { master, slave, start } = await world();
    const pid = await slave.nextProver();
    await start(1, neverEnds, Date.now() - 29_900);
    await master.close();
    await slave.nextProver();
    expect(isAlive(pid)).toBe(false);
    const second = await startMaster({ port: master.port });
    await expect(second.failed.next()).resolves.toMatchObject({
      class: 'transient',
      reason: 'the deadline closed while the master was away',
    });
  });
});

describe('a master of version 1', () => {
  test('sends the task among the params, and knows no waiting', async () => {
    const { master, slave, start } = await world({ hello: { version: 1 } });
    await slave.nextProver();
    const waits = taskThat({
      ...saying('{"id":$ID,"progress":{"phase":"waiting","done":7,"total":0}}\n'),
      replicas: [{}, {}],
    });
    await expect(master.slave.call('attempt.start', { id, attempt: 1, closeAt: null, task: waits })).resolves.toEqual(
      yes,
    );
    const beat = await master.beats.until(({ attempts }) => attempts[0]?.done === 7);
    expect(beat.attempts[0]).toMatchObject({ phase: 'reading' });
    await master.slave.call('attempt.cancel', { id, attempt: 1, reason: 'enough' });
    await master.beats.until(({ free }) => free === 1);
    await expect(start(2)).resolves.toEqual(yes);
  });
});

test('a start without a task is refused', async () => {
  const { master } = await world();
  const refused = { accepted: false, reason: 'it came without its task' };
  await expect(master.slave.call('attempt.start', { id, attempt: 1, closeAt: null })).resolves.toEqual(refused);
});

test('stores and memory of the configuration reach the master and the prover', async () => {
  const stores = ['/mnt/one', '/mnt/two'];
  const { slave, hello } = await world({}, { slave: { stores, memoryPerProof: 2 ** 30 } });
  expect(hello.stores).toEqual(stores);
  const commandLine = await readFile(`/proc/${await slave.nextProver()}/cmdline`, 'utf8');
  const options = ['--memory-per-proof', '1073741824', '--store', '/mnt/one', '--store', '/mnt/two'];
  expect(commandLine.split('\0').slice(-options.length - 1, -1)).toEqual(options);
});

test('a prover that does not start: no slots, until it does', async () => {
  const file = await scriptedProver({ stderr: 'no parameters for 2KiB\n', exit: 1 });
  const master = await startMaster();
  const slave = startSlave(master.port, { env: { WDPOST_PROVER: file } });
  await expect(master.hellos.next()).resolves.toMatchObject({ slots: 0 });
  const line = await slave.logs.until(({ msg }) => msg.startsWith('prover: not running'));
  expect(line.reason).toMatch(/exit code 1: no parameters for 2KiB$/);
  const refused = { accepted: false, reason: 'no free slot' };
  const start = { id, attempt: 1, closeAt: null };
  await expect(master.slave.call('attempt.start', start, { attachment: bodyOf(proves) })).resolves.toEqual(refused);
  await rewriteProver(file);
  await master.beats.until(({ free }) => free === 1);
});

test('a wrong token and a wrong sector size end it with one line', async () => {
  const master = await startMaster({ tokens: [{ secret: 'right', scopes: new Set(['slave'] as const) }] });
  const env = { WDPOST_PROVER: await scriptedProver(), WDPOST_TOKEN: 'wrong' };
  await expect(startSlave(master.port, { env }).ended).rejects.toMatchObject({ code: 'unauthorized' });
  await expect(startSlave(master.port, { env: { FORCE_SECTOR_SIZE: '5' } }).ended).rejects.toMatchObject({
    code: 'bad-sector-size',
    message: 'FORCE_SECTOR_SIZE',
  });
  const right = startSlave(master.port, { env: { ...env, WDPOST_TOKEN: 'right' } });
  await expect(master.hellos.next()).resolves.toMatchObject({ role: 'slave' });
  await vi.waitUntil(() => master.beats.size > 0, { timeout: 10_000 });
  await right.stop();
});
