import { describe, expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { decide } from '../../src/poster/decide.ts';
import type { PartitionFacts } from '../../src/poster/facts.ts';
import type { Run } from '../../src/poster/run.ts';
import type { SectorCheck } from '../../src/stores/sector-check.ts';
import { partition, policy, randomness, runOf } from './runs.ts';

const good = (number: number): SectorCheck => ({
  number,
  verdict: 'good',
  store: 'a',
  sealedFile: `sealed/s-t01001-${number}`,
  cacheDir: `cache/s-t01001-${number}`,
});
const lost = (number: number, verdict: 'bad' | 'unknown'): SectorCheck => ({ number, verdict, reason: 'no such file' });

function decided(run: Run, height: number, facts: PartitionFacts = {}, seed: Uint8Array | undefined = randomness) {
  return decide(
    run,
    {
      height,
      ...(seed && { randomness: seed }),
      partitions: new Map(run.partitions.map(({ index }) => [index, facts])),
    },
    policy,
  );
}

describe('checking', () => {
  const run = runOf(partition(0));

  it('looks at the files first', () => {
    expect(decided(run, 90)).toEqual([{ kind: 'check', partition: 0, sectors: run.partitions[0]?.sectors }]);
  });

  it('proves when all are there', () => {
    const [action] = decided(run, 90, { checks: { atEpoch: 90, sectors: [good(0), good(1)] } });
    expect(action).toMatchObject({ kind: 'prove', partition: 0, sectors: [{ number: 0 }, { number: 1 }] });
    expect(action?.kind === 'prove' && action.skipped.isEmpty).toBe(true);
  });

  it('skips a bad sector at once', () => {
    const [action] = decided(run, 90, { checks: { atEpoch: 90, sectors: [good(0), lost(1, 'bad')] } });
    expect(action?.kind === 'prove' && [...action.skipped]).toEqual([1]);
  });

  it('waits for an unknown sector, looks again after the interval, and skips it only at the reserve', () => {
    const checks = { atEpoch: 146, sectors: [good(0), lost(1, 'unknown')] };
    expect(decided(run, 147, { checks })).toEqual([]);
    expect(decided(run, 149, { checks: { ...checks, atEpoch: 145 } })).toMatchObject([{ kind: 'check' }]);
    const [action] = decided(run, 150, { checks });
    expect(action?.kind === 'prove' && [...action.skipped]).toEqual([1]);
  });

  it('never asks for a proof of nothing, but goes on looking until Close', () => {
    const checks = { atEpoch: 150, sectors: [lost(0, 'bad'), lost(1, 'unknown')] };
    expect(decided(run, 152, { checks })).toEqual([]);
    expect(decided(run, 154, { checks })).toMatchObject([{ kind: 'check' }]);
    expect(decided(run, 160, { checks })).toMatchObject([{ kind: 'finish', state: 'missed' }]);
  });
});

describe('proving', () => {
  const run = runOf(partition(0, { state: 'proving', taskId: 't' }));

  it('waits for a task under way or a master that does not answer', () => {
    expect(decided(run, 110)).toEqual([]);
    expect(decided(run, 110, { task: { state: 'running' } })).toEqual([]);
  });

  it('takes a proof', () => {
    const proof = new Uint8Array(192);
    expect(decided(run, 110, { task: { state: 'proven', proof } })).toEqual([{ kind: 'accept', partition: 0, proof }]);
  });

  it('gives up bad sectors, unknown ones only at the reserve', () => {
    const threeSectors = runOf(partition(0, { state: 'proving', taskId: 't', sectors: Bitfield.of([0, 1, 9]) }));
    const faults = [
      { sector: 0, class: 'bad', reason: 'corrupt' },
      { sector: 1, class: 'unknown', reason: 'EIO' },
    ] as const;
    const skippedAt = (height: number) =>
      decided(threeSectors, height, { task: { state: 'faulted', faults } }).flatMap((action) =>
        action.kind === 'recheck' ? [...action.skipped] : [],
      );
    expect(skippedAt(149)).toEqual([0]);
    expect(skippedAt(150)).toEqual([0, 1]);
  });

  it('does not believe a slave that finds nothing at all', () => {
    const faults = [0, 1].map((sector) => ({ sector, class: 'bad', reason: 'no such file' }) as const);
    const [action] = decided(run, 110, { task: { state: 'faulted', faults } });
    expect(action?.kind === 'recheck' && action.skipped.isEmpty).toBe(true);
  });

  it('tries a failed task again', () => {
    expect(decided(run, 110, { task: { state: 'failed', reason: 'no slave' } })).toMatchObject([
      { kind: 'recheck', reason: 'no slave' },
    ]);
  });

  it('rests while a pause lasts', () => {
    const task = { state: 'failed', reason: 'no slave' } as const;
    expect(decided(run, 110, { task, pausedUntil: 111 })).toEqual([]);
    expect(decided(run, 111, { task, pausedUntil: 111 })).toHaveLength(1);
  });
});

describe('sending', () => {
  const proven = (index: number, changes = {}) =>
    partition(index, { state: 'proven', proof: new Uint8Array(192), ...changes });

  it('starts at Open + confidence and joins full partitions', () => {
    const run = runOf(proven(0), proven(1));
    expect(decided(run, 103)).toEqual([]);
    expect(decided(run, 104)).toEqual([{ kind: 'submit', partitions: [0, 1] }]);
  });

  it('does not send without having read the challenge', () => {
    expect(decide(runOf(proven(0)), { height: 110, partitions: new Map() }, policy)).toEqual([]);
  });

  it('proves again when the challenge changed', () => {
    const other = new Uint8Array(32);
    expect(decided(runOf(proven(0)), 110, {}, other)).toEqual([{ kind: 'restart', randomness: other }]);
  });

  it('sends partitions of a refused message alone', () => {
    const sending = (index: number) => proven(index, { state: 'sending', messageId: 'm' });
    const facts: PartitionFacts = { message: { state: 'failed', reason: 'out of gas' }, posted: false };
    expect(decided(runOf(sending(0), sending(1)), 110, facts)).toMatchObject([
      { kind: 'resend', partition: 0, solitary: true },
      { kind: 'resend', partition: 1, solitary: true },
    ]);
    expect(decided(runOf(proven(0, { solitary: true }), proven(1)), 110)).toEqual([
      { kind: 'submit', partitions: [0] },
      { kind: 'submit', partitions: [1] },
    ]);
  });

  it('proves again what failed on its way while the challenge changed', () => {
    const facts: PartitionFacts = { message: { state: 'failed', reason: 'exit 16' }, posted: false };
    const sending = (proof: Uint8Array | null) => runOf(proven(0, { state: 'sending', messageId: 'm', proof }));
    expect(decided(sending(new Uint8Array(192)), 110, facts)).toMatchObject([{ kind: 'resend', to: 'proven' }]);
    expect(decided(sending(null), 110, facts)).toMatchObject([{ kind: 'resend', to: 'checking' }]);
  });

  it('asks the chain before it repeats a failed message', () => {
    const run = runOf(proven(0, { state: 'sending', messageId: 'm' }));
    const message = { state: 'failed', reason: 'exit 16' } as const;
    expect(decided(run, 110, { message })).toEqual([]);
    expect(decided(run, 110, { message, posted: true })).toMatchObject([{ kind: 'finish', state: 'landed' }]);
  });

  it('sends recovering partitions alone', () => {
    const recovering = proven(1, { recovering: Bitfield.of([3]) });
    expect(decided(runOf(proven(0), recovering, proven(2)), 110)).toEqual([
      { kind: 'submit', partitions: [0] },
      { kind: 'submit', partitions: [1] },
      { kind: 'submit', partitions: [2] },
    ]);
  });
});

describe('after Close', () => {
  it('starts nothing, and gives up what is not sent', () => {
    const run = runOf(partition(0), partition(1, { state: 'proving', taskId: 't' }), partition(2, { state: 'proven' }));
    expect(decided(run, 160, { task: { state: 'proven', proof: new Uint8Array(192) } })).toMatchObject([
      { kind: 'finish', partition: 0, state: 'missed' },
      { kind: 'finish', partition: 1, state: 'missed' },
      { kind: 'finish', partition: 2, state: 'missed' },
    ]);
  });

  it('waits for a message under way, which may have been included at the last moment', () => {
    const run = runOf(partition(0, { state: 'sending', messageId: 'm' }));
    expect(decided(run, 165, { message: { state: 'pending' } })).toEqual([]);
    expect(decided(run, 5000, { message: { state: 'pending' } })).toEqual([]);
    expect(decided(run, 165, { message: { state: 'landed' } })).toMatchObject([{ kind: 'finish', state: 'landed' }]);
    expect(decided(run, 165, { message: { state: 'failed', reason: 'exit 16' } })).toMatchObject([
      { kind: 'finish', state: 'missed', reason: 'exit 16' },
    ]);
  });

  it('closes the run when every partition is finished', () => {
    expect(decided(runOf(partition(0, { state: 'landed' }), partition(1, { state: 'missed' })), 170)).toEqual([
      { kind: 'close' },
    ]);
  });
});
