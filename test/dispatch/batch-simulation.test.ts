import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchChunk, isUnfinished, learn, unaskedChunk } from '../../src/dispatch/batch-chunk.ts';
import { type BatchDecision, decideBatch } from '../../src/dispatch/decide-batch.ts';
import { chunkUnion } from '../../src/filecoin/partitions.ts';
import type { TaskView } from '../../src/rpc/methods.ts';
import { faulty, provenBy } from './batch-task.ts';

const CLOSE = 200;
const PAUSE = 3;
const MESSAGE = 10;
const ASKS_AGAIN = 2;

interface World {
  readonly slots: number;
  /** What reading and proving a chunk take. */
  readonly readFor: number;
  readonly proveFor: number;
  readonly sectors: readonly number[];
  readonly bad: ReadonlySet<number>;
  /** Sectors that cannot be read before a time. */
  readonly away: ReadonlyMap<number, number>;
  /** Attempts that fail, by their number from the first. */
  readonly crashes: ReadonlySet<number>;
}

interface Task {
  readonly sectors: readonly number[];
  state: TaskView['state'];
  phase: string | null;
  output: ReturnType<typeof faulty> | null;
  error: string | null;
  startedAt: number;
}

/** The queue and its slaves, in steps of one. Tasks are known by their content. */
class Cluster {
  readonly #world: World;
  readonly #tasks = new Map<string, Task>();
  #attempts = 0;

  constructor(world: World) {
    this.#world = world;
  }

  submit(sectors: readonly number[]): void {
    const task = this.#tasks.get(String(sectors));
    if (task !== undefined && ['waiting', 'running', 'proven'].includes(task.state)) return;
    // Last in the row again.
    this.#tasks.delete(String(sectors));
    this.#tasks.set(String(sectors), {
      sectors,
      state: 'waiting',
      phase: null,
      output: null,
      error: null,
      startedAt: 0,
    });
  }

  cancel(sectors: readonly number[]): void {
    const task = this.#tasks.get(String(sectors));
    if (task !== undefined && task.state !== 'proven') task.state = 'cancelled';
  }

  view(sectors: readonly number[]): TaskView | null {
    const task = this.#tasks.get(String(sectors));
    if (task === undefined) return null;
    const { state, phase, output, error } = task;
    const facts = { closeAt: CLOSE, retryCount: 0, attempts: 1, slave: 's', done: 0, total: 0 };
    return { id: 'id', state, phase, output, error, ...facts, createdAt: 0, startedAt: 0, finishedAt: 0 };
  }

  step(now: number): void {
    const { slots, readFor, proveFor } = this.#world;
    const running = [...this.#tasks.values()].filter(({ state }) => state === 'running');
    for (const task of running) {
      if (now >= task.startedAt + readFor) this.#wasRead(task, now);
      if (task.state === 'running' && now >= task.startedAt + readFor + proveFor) {
        Object.assign(task, { state: 'proven', output: provenBy(task.sectors[0] ?? 0) });
      }
    }
    let free = slots - running.filter(({ state }) => state === 'running').length;
    for (const task of this.#tasks.values()) {
      if (free === 0) break;
      if (task.state !== 'waiting') continue;
      Object.assign(task, { state: 'running', phase: 'reading', startedAt: now });
      free--;
    }
  }

  #wasRead(task: Task, now: number): void {
    const { bad, away, crashes } = this.#world;
    if (task.phase !== 'reading') return;
    const faults: Record<number, 'bad' | 'unknown'> = {};
    for (const sector of task.sectors) {
      if ((away.get(sector) ?? 0) > now) faults[sector] = 'unknown';
      else if (bad.has(sector)) faults[sector] = 'bad';
    }
    if (crashes.has(this.#attempts++)) Object.assign(task, { state: 'failed', error: 'crash' });
    else if (Object.keys(faults).length > 0) Object.assign(task, { state: 'faulted', output: faulty(faults) });
    else task.phase = 'proving';
  }
}

/** One request from its question to its answer; the time and what was answered. */
function request(
  cluster: Cluster,
  world: World,
  sectors: readonly number[],
  from: number,
): { readonly at: number; readonly decision: BatchDecision; readonly chunks: readonly BatchChunk[] } {
  const reserveMs = (proofs: number) => reserveOf(world, proofs);
  let chunks = chunkUnion(sectors, 2).map(unaskedChunk);
  for (let now = from; ; now++) {
    cluster.step(now);
    chunks = chunks.map((chunk) =>
      isUnfinished(chunk) ? learn(chunk, cluster.view(chunk.sectors), now + PAUSE) : chunk,
    );
    const decision = decideBatch(chunks, { now, closeAt: CLOSE, reserveMs });
    if (decision.kind === 'join') return { at: now, decision, chunks };
    const firstBad = chunks.findIndex(({ bad }) => bad.size > 0);
    for (const index of decision.needless) {
      if (decision.kind === 'wait') expect(index).toBeGreaterThan(firstBad);
      cluster.cancel(chunks[index]?.sectors ?? []);
    }
    if (decision.kind !== 'wait') return { at: now, decision, chunks };
    const { needless } = decision;
    chunks = chunks.map((chunk, index) => (needless.includes(index) ? { ...chunk, state: 'dropped' } : chunk));
    for (const index of decision.submit) {
      const chunk = chunks[index];
      if (chunk === undefined) throw new Error('no such chunk');
      expect(isUnfinished(chunk)).toBe(false);
      expect(chunk.submitAt).toBeLessThanOrEqual(now);
      cluster.submit(chunk.sectors);
      chunks = chunks.with(index, learn(chunk, cluster.view(chunk.sectors), now + PAUSE));
    }
  }
}

/** With a crash or two among the attempts, and the row of what runs already. */
function reserveOf({ slots, readFor, proveFor, crashes }: World, proofs: number): number {
  const rounds = Math.ceil(proofs / slots) + crashes.size + 1;
  return MESSAGE + ASKS_AGAIN + rounds * (readFor + proveFor + PAUSE + 2);
}

const world: fc.Arbitrary<World> = fc
  .record({
    slots: fc.integer({ min: 1, max: 4 }),
    readFor: fc.integer({ min: 1, max: 4 }),
    proveFor: fc.integer({ min: 1, max: 8 }),
    count: fc.integer({ min: 1, max: 9 }),
    bad: fc.array(fc.nat(8), { maxLength: 3 }),
    away: fc.array(fc.tuple(fc.nat(8), fc.constantFrom(5, 40, 90, 150, CLOSE + 50)), { maxLength: 4 }),
    crashes: fc.array(fc.nat(6), { maxLength: 2 }),
  })
  .map(({ count, bad, away, crashes, ...more }) => ({
    ...more,
    sectors: Array.from({ length: count }, (_, index) => index * 3),
    bad: new Set(bad.map((index) => index * 3)),
    away: new Map(away.map(([index, until]) => [index * 3, until])),
    crashes: new Set(crashes),
  }));

test('a manager that leaves out what it is told has a proof of all else in time for its message', () => {
  fc.assert(
    fc.property(world, (facts) => {
      const cluster = new Cluster(facts);
      let left = facts.sectors;
      let now = 0;
      while (left.length > 0) {
        const { at, decision, chunks } = request(cluster, facts, left, now);
        if (decision.kind === 'join') {
          expect(left.some((sector) => facts.bad.has(sector))).toBe(false);
          expect(at).toBeLessThanOrEqual(CLOSE - MESSAGE);
          return;
        }
        if (decision.kind === 'refuse') {
          // Nothing but an outage of all that was left may end so.
          expect(at).toBe(CLOSE);
          expect(left.every((sector) => facts.away.has(sector))).toBe(true);
          return;
        }
        if (decision.kind !== 'tell') throw new Error('still waits');
        const told = decision.faults.map(({ sector }) => sector);
        const known = chunks.reduce((sum, { bad, unknown }) => sum + bad.size + unknown.size, 0);
        const proofs = chunks.length;
        const isLate = at >= CLOSE - reserveOf(facts, proofs);
        expect(told.every((sector) => facts.bad.has(sector) || (isLate && facts.away.has(sector)))).toBe(true);
        expect(told.length).toBeLessThanOrEqual(known);
        // All that were bad and not away at their reading came in this one answer.
        if (!isLate) {
          const missed = left.filter(
            (sector) => facts.bad.has(sector) && !facts.away.has(sector) && !told.includes(sector),
          );
          expect(missed).toEqual([]);
        }
        left = left.filter((sector) => !told.includes(sector));
        now = at + ASKS_AGAIN;
      }
    }),
    { numRuns: 1_000 },
  );
});
