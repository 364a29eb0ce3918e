import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import type { Action } from '../../src/poster/actions.ts';
import { decide } from '../../src/poster/decide.ts';
import type { PartitionFacts } from '../../src/poster/facts.ts';
import { provenSectors, type Run, type RunPartition } from '../../src/poster/run.ts';
import type { SectorCheck } from '../../src/stores/sector-check.ts';
import { partition, policy, randomness, runOf } from './runs.ts';

/** What the world answers, drawn at each question. */
type Luck = () => number;

/** One run from its challenge to past Close, every action carried out at once with an outcome drawn by luck. */
class World {
  readonly #luck: Luck;
  readonly #facts = new Map<number, PartitionFacts>();
  readonly submitted: { height: number; partitions: readonly number[] }[] = [];
  readonly skippedEarly: number[] = [];
  #unknown = new Set<number>();
  height = 85;
  run: Run;
  closed = false;

  constructor(luck: Luck, partitions: number) {
    this.#luck = luck;
    this.run = runOf(...Array.from({ length: partitions }, (_, index) => partition(index)));
  }

  /** Decides until nothing more is wanted in this epoch; returns how often. */
  epoch(): number {
    for (let rounds = 0; ; rounds++) {
      const actions = decide(this.run, { height: this.height, randomness, partitions: this.#facts }, policy);
      if (actions.length === 0 || this.closed || rounds > 20) return rounds;
      for (const action of actions) this.#carryOut(action);
    }
  }

  /** Every message under way lands, to be refused. */
  endMessages(): void {
    for (const index of this.#facts.keys()) {
      if (this.#facts.get(index)?.message?.state === 'pending')
        this.#know(index, { message: { state: 'failed', reason: 'late' } });
    }
  }

  #carryOut(action: Action): void {
    switch (action.kind) {
      case 'close':
        this.closed = true;
        return;
      case 'check': {
        const sectors = [...action.sectors].map((number) => this.#check(number));
        this.#know(action.partition, { checks: { atEpoch: this.height, sectors } });
        return;
      }
      case 'prove': {
        const early = [...action.skipped].filter((sector) => this.#unknown.has(sector));
        if (this.height < this.run.close - policy.reserve) this.skippedEarly.push(...early);
        this.#move(action.partition, { state: 'proving', taskId: 't', skipped: action.skipped });
        this.#know(action.partition, { task: this.#task(action.sectors.map((sector) => sector.number)) });
        return;
      }
      case 'recheck':
        this.#facts.set(action.partition, { pausedUntil: this.height + 2 });
        this.#move(action.partition, { state: 'checking', taskId: null, skipped: action.skipped });
        return;
      case 'accept':
        this.#move(action.partition, { state: 'proven', proof: action.proof });
        return;
      case 'submit':
        this.submitted.push({ height: this.height, partitions: action.partitions });
        for (const index of action.partitions) {
          this.#move(index, { state: 'sending', messageId: `m${this.submitted.length}` });
          const failed = this.#luck() < 0.3;
          this.#know(index, {
            message: failed
              ? { state: 'failed', reason: 'refused' }
              : { state: this.#luck() < 0.1 ? 'pending' : 'landed' },
            posted: false,
          });
        }
        return;
      case 'resend':
        this.#facts.set(action.partition, { pausedUntil: this.height + 2 });
        this.#move(action.partition, { state: action.to, messageId: null, solitary: action.solitary });
        return;
      case 'finish':
        this.#move(action.partition, { state: action.state });
        return;
      case 'restart':
        throw new Error('the challenge did not change');
    }
  }

  #check(number: number): SectorCheck {
    const luck = this.#luck();
    this.#unknown.delete(number);
    if (luck < 0.7) return { number, verdict: 'good', store: 'a', sealedFile: 's', cacheDir: 'c' };
    if (luck < 0.9) this.#unknown.add(number);
    return { number, verdict: luck < 0.9 ? 'unknown' : 'bad', reason: 'drawn' };
  }

  #task(sectors: readonly number[]): NonNullable<PartitionFacts['task']> {
    const luck = this.#luck();
    if (luck < 0.5) return { state: 'proven', proof: new Uint8Array(192) };
    if (luck < 0.6) return { state: 'failed', reason: 'drawn' };
    if (luck < 0.65) return { state: 'running' };
    return {
      state: 'faulted',
      faults: sectors.slice(0, 1).map((sector) => ({ sector, class: luck < 0.8 ? 'bad' : 'unknown', reason: 'drawn' })),
    };
  }

  #know(index: number, facts: PartitionFacts): void {
    this.#facts.set(index, { ...this.#facts.get(index), ...facts });
  }

  #move(index: number, changes: Partial<RunPartition>): void {
    const partitions = this.run.partitions.map((one) => (one.index === index ? { ...one, ...changes } : one));
    this.run = { ...this.run, partitions };
  }
}

it('ends every run, sends only in the window, gives up unknown sectors only at the reserve, and never spins', () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.integer({ min: 1, max: 5 }),
      (stream, partitions) => {
        const world = new World(() => stream.next().value ?? 0, partitions);
        for (; !world.closed && world.height <= world.run.close + 20; world.height++) {
          if (world.height === world.run.close + 10) world.endMessages();
          expect(world.epoch()).toBeLessThan(10);
        }
        expect(world.closed).toBe(true);
        expect(world.skippedEarly).toEqual([]);
        for (const { height, partitions: indices } of world.submitted) {
          expect(height).toBeGreaterThanOrEqual(world.run.open + policy.submitConfidence);
          expect(height).toBeLessThan(world.run.close);
          expect(indices.length).toBeLessThanOrEqual(policy.maxPartitions);
        }
        for (const one of world.run.partitions) {
          expect(['landed', 'missed']).toContain(one.state);
          if (one.state === 'landed') expect(provenSectors(one).isEmpty).toBe(false);
          expect(one.skipped.subtract(one.sectors).equals(Bitfield.empty)).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});
