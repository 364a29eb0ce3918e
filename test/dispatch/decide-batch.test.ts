import { expect, test } from 'vitest';
import { type BatchChunk, learn, unaskedChunk } from '../../src/dispatch/batch-chunk.ts';
import { batchReserveMs } from '../../src/dispatch/batch-reserve.ts';
import { decideBatch } from '../../src/dispatch/decide-batch.ts';
import type { TaskView } from '../../src/rpc/methods.ts';
import type { WindowPostOutput } from '../../src/rpc/window-post.ts';
import { faulty, provenBy } from './batch-task.ts';

const CLOSE = 1_000;
/** 300 for two proofs, 400 for three. */
const reserveMs = (proofs: number): number => 100 + 100 * proofs;
const at = (now: number) => ({ now, closeAt: CLOSE, reserveMs });
const SUBMIT_AT = 50;

function view(
  state: TaskView['state'],
  more: { output?: WindowPostOutput; phase?: string; error?: string } = {},
): TaskView {
  return {
    id: 'id',
    state,
    closeAt: CLOSE,
    retryCount: 0,
    attempts: 1,
    slave: 's',
    phase: more.phase ?? null,
    done: 0,
    total: 0,
    createdAt: 0,
    startedAt: 0,
    finishedAt: 0,
    output: more.output ?? null,
    error: more.error ?? null,
  };
}

const chunkOf = (first: number, ...views: (TaskView | null)[]): BatchChunk =>
  views.reduce((chunk, seen) => learn(chunk, seen, SUBMIT_AT), unaskedChunk([first, first + 1]));
const proven = (first: number) => chunkOf(first, view('proven', { output: provenBy(first) }));
const reading = (first: number) => chunkOf(first, view('running', { phase: 'reading' }));
const proving = (first: number) => chunkOf(first, view('running', { phase: 'proving' }));
const found = (first: number, faults: Parameters<typeof faulty>[0]) =>
  chunkOf(first, view('faulted', { output: faulty(faults), error: 'faults' }));

test('what is not asked for yet is submitted, and all proven is joined, even late', () => {
  expect(decideBatch([unaskedChunk([1, 2]), proven(3)], at(0))).toMatchObject({
    kind: 'wait',
    submit: [0],
    needless: [],
  });
  expect(decideBatch([proven(1), proven(3)], at(CLOSE + 1))).toEqual({ kind: 'join' });
});

test('unknown sectors and failures are tried again after the pause', () => {
  const failed = chunkOf(3, view('failed', { error: 'no memory' }));
  const removed = chunkOf(5, null);
  const chunks = [found(1, { 2: 'unknown' }), failed, removed, proving(7)];
  expect(decideBatch(chunks, at(SUBMIT_AT - 1))).toMatchObject({ kind: 'wait', submit: [], dueAt: SUBMIT_AT });
  expect(decideBatch(chunks, at(SUBMIT_AT))).toMatchObject({ kind: 'wait', submit: [0, 1, 2], needless: [] });
});

test('a fault without a class is not taken for a bad sector', () => {
  expect(decideBatch([found(1, { 1: 'not said' }), proven(3)], at(0))).toMatchObject({ kind: 'wait' });
  expect(decideBatch([found(1, { 1: 'not said' }), proven(3)], at(CLOSE - 300))).toMatchObject({
    kind: 'tell',
    faults: [{ sector: 1, class: 'unknown' }],
  });
});

test('bad sectors are told together, once all was read; unknown ones are left for the next request', () => {
  const bad = found(3, { 4: 'bad', 3: 'unknown' });
  expect(decideBatch([proving(1), bad, reading(5)], at(0))).toMatchObject({ kind: 'wait', submit: [], needless: [] });
  expect(decideBatch([proving(1), bad, proving(5), reading(7)], at(0))).toMatchObject({ kind: 'wait', needless: [2] });
  const also = found(5, { 5: 'bad' });
  expect(decideBatch([proving(1), bad, also, proving(7)], at(0))).toMatchObject({
    kind: 'tell',
    faults: [
      { sector: 4, class: 'bad', reason: 'bad indeed' },
      { sector: 5, class: 'bad' },
    ],
    needless: [3],
  });
});

test('while bad sectors wait to be told, only what was not read is submitted again', () => {
  const crashed = chunkOf(5, view('failed', { error: 'crash' }));
  const crashedProving = chunkOf(7, view('running', { phase: 'proving' }), view('failed', { error: 'crash' }));
  const chunks = [found(1, { 1: 'unknown' }), found(3, { 3: 'bad' }), crashed, crashedProving];
  expect(decideBatch(chunks, at(SUBMIT_AT))).toMatchObject({ kind: 'wait', submit: [2] });
});

test('in the reserve all that is known is told, and what comes before goes on', () => {
  const chunks = [reading(1), found(3, { 4: 'unknown' }), reading(5)];
  // Three proofs would be to make.
  expect(decideBatch(chunks, at(CLOSE - 401))).toMatchObject({ kind: 'wait', dueAt: CLOSE - 400 });
  expect(decideBatch(chunks, at(CLOSE - 400))).toMatchObject({
    kind: 'tell',
    faults: [{ sector: 4, class: 'unknown', reason: 'unknown indeed' }],
    needless: [2],
  });
  // Of what is proven nothing before the fault is proven again.
  const mostly = [proven(1), proven(3), found(5, { 5: 'unknown' })];
  expect(decideBatch(mostly, at(CLOSE - 201))).toMatchObject({ kind: 'wait' });
  expect(decideBatch(mostly, at(CLOSE - 200))).toMatchObject({ kind: 'tell' });
});

test('nothing is told that would leave nothing to prove, unless it is bad', () => {
  const away = [found(1, { 1: 'unknown', 2: 'unknown' }), found(3, { 3: 'unknown', 4: 'unknown' })];
  expect(decideBatch(away, at(CLOSE - 1))).toMatchObject({ kind: 'wait', submit: [0, 1], dueAt: CLOSE });
  const partly = [found(1, { 1: 'bad', 2: 'unknown' }), found(3, { 3: 'unknown', 4: 'unknown' })];
  expect(decideBatch(partly, at(CLOSE - 1))).toMatchObject({ kind: 'tell', faults: [{ sector: 1 }] });
  const broken = [found(1, { 1: 'bad', 2: 'bad' })];
  expect(decideBatch(broken, at(0))).toMatchObject({ kind: 'tell', faults: [{ sector: 1 }, { sector: 2 }] });
});

test('a fault found late, by a second attempt, counts; a sector read after all is none', () => {
  const late = chunkOf(1, view('running', { phase: 'proving' }), view('faulted', { output: faulty({ 2: 'bad' }) }));
  expect(decideBatch([late, proven(3)], at(0))).toMatchObject({ kind: 'tell', faults: [{ sector: 2 }] });
  const unknownNow = chunkOf(
    1,
    ...[{ 2: 'bad' }, { 1: 'unknown', 2: 'unknown' }].map((faults) =>
      view('faulted', { output: faulty(faults as Parameters<typeof faulty>[0]) }),
    ),
  );
  expect(decideBatch([unknownNow, proven(3)], at(0))).toMatchObject({ kind: 'tell', faults: [{ sector: 2 }] });
  const read = chunkOf(1, view('faulted', { output: faulty({ 2: 'unknown' }) }), view('running', { phase: 'waiting' }));
  expect(decideBatch([read, reading(3)], at(CLOSE - 1))).toMatchObject({ kind: 'wait' });
});

test('bad input and a cancelled chunk are told at once, and what else runs is not needed', () => {
  const bad = chunkOf(3, view('failed', { error: 'bad-task: the seed is missing' }));
  expect(decideBatch([reading(1), bad, proven(5)], at(0))).toMatchObject({
    kind: 'refuse',
    error: { code: 'bad-task', message: expect.stringContaining('chunk 2 of 3') },
    needless: [0],
  });
  const cancelled = chunkOf(3, view('cancelled', { error: 'cancelled: by hand' }));
  expect(decideBatch([reading(1), cancelled], at(0))).toMatchObject({
    kind: 'refuse',
    error: { code: 'task-cancelled', message: expect.stringContaining('by hand') },
    needless: [0],
  });
});

test('at Close it is over, and the error says what kept it', () => {
  const failed = chunkOf(3, view('failed', { error: 'no memory' }));
  expect(decideBatch([proven(1), failed], at(CLOSE))).toMatchObject({
    kind: 'refuse',
    error: { code: 'deadline-closed', message: expect.stringMatching(/chunk 2 of 2: no memory/) },
  });
});

test('the reserve is ten epochs, the time to be asked again, and the rounds of proofs over the slots', () => {
  const facts = { slots: 2, proofMs: 1_000 };
  expect([0, 1, 2, 3].map((proofs) => batchReserveMs({ ...facts, proofs }))).toEqual([
    305_000, 306_000, 306_000, 307_000,
  ]);
  expect(batchReserveMs({ proofs: 2, slots: 0, proofMs: 1_000 })).toBe(307_000);
});
