import { describe, expect, it } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { decide } from '../../src/poster/decide.ts';
import type { PartitionFacts } from '../../src/poster/facts.ts';
import type { Run, RunPartition } from '../../src/poster/run.ts';
import type { SectorCheck } from '../../src/stores/sector-check.ts';
import { pace, partition, policy, randomness, runOf } from './runs.ts';

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
      pace,
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

  it('looks again where a look with troubles is old', () => {
    const checks = { atEpoch: 90, sectors: [good(0), lost(1, 'bad')] };
    expect(decided(run, 94, { checks })).toMatchObject([{ kind: 'check' }]);
    expect(decided(run, 94, { checks: { ...checks, endEpoch: 93 } })).toMatchObject([{ kind: 'prove' }]);
    expect(decided(run, 94, { checks: { atEpoch: 90, sectors: [good(0), good(1)] } })).toMatchObject([
      { kind: 'prove' },
    ]);
  });

  it('skips a bad sector at once', () => {
    const [action] = decided(run, 90, { checks: { atEpoch: 90, sectors: [good(0), lost(1, 'bad')] } });
    expect(action?.kind === 'prove' && [...action.skipped]).toEqual([1]);
  });

  it('waits for an unknown sector, looks again after the interval, and skips it only at the reserve', () => {
    const checks = { atEpoch: 141, sectors: [good(0), lost(1, 'unknown')] };
    expect(decided(run, 142, { checks })).toEqual([]);
    expect(decided(run, 144, { checks: { ...checks, atEpoch: 140 } })).toMatchObject([{ kind: 'check' }]);
    const [action] = decided(run, 146, { checks: { ...checks, atEpoch: 145 } });
    expect(action?.kind === 'prove' && [...action.skipped]).toEqual([1]);
  });

  it('looks once more at the reserve before it gives anything up', () => {
    const sectors = [good(0), lost(1, 'unknown')];
    expect(decided(run, 145, { checks: { atEpoch: 144, sectors } })).toMatchObject([{ kind: 'check' }]);
    const gone = [lost(0, 'bad'), lost(1, 'bad')];
    expect(decided(run, 145, { checks: { atEpoch: 144, sectors: gone } })).toMatchObject([{ kind: 'check' }]);
  });

  describe('of a partition with more unreadable than MaxSkipShare', () => {
    const six = [0, 1, 2, 3, 4, 5];
    const sixSectors = runOf(partition(0, { sectors: Bitfield.of(six) }));
    const checksWith = (missing: number, atEpoch: number, verdict: 'bad' | 'unknown' = 'bad') => ({
      checks: { atEpoch, sectors: six.map((number) => (number < missing ? lost(number, verdict) : good(number))) },
    });

    it('waits for it until the reserve', () => {
      expect(decided(sixSectors, 104, checksWith(4, 103))).toEqual([]);
      expect(decided(sixSectors, 107, checksWith(4, 103))).toMatchObject([{ kind: 'check' }]);
    });

    it('leaves it out at the reserve, and skips up to the share', () => {
      expect(decided(sixSectors, 146, checksWith(4, 145))).toMatchObject([
        { kind: 'leave-out', from: 'checking', reason: expect.stringMatching(/^4 of 6 sectors cannot be read/) },
      ]);
      expect(decided(sixSectors, 146, checksWith(2, 145, 'unknown'))).toMatchObject([{ kind: 'prove' }]);
      expect(decided(sixSectors, 146, checksWith(3, 145))).toMatchObject([{ kind: 'prove' }]);
    });

    it('goes on looking, and proves it when it is back', () => {
      const leftOut = runOf(partition(0, { sectors: Bitfield.of(six), state: 'left-out' }));
      expect(decided(leftOut, 147, checksWith(4, 145))).toEqual([]);
      expect(decided(leftOut, 149, checksWith(4, 145))).toMatchObject([{ kind: 'check' }]);
      expect(decided(leftOut, 150, checksWith(0, 150))).toMatchObject([{ kind: 'prove', from: 'left-out' }]);
      expect(decided(leftOut, 160, checksWith(4, 158))).toEqual([]);
      expect(decided(leftOut, 170, checksWith(4, 158))).toEqual([{ kind: 'close' }]);
    });

    it('counts what a slave could not read', () => {
      const proving = (provingEpoch: number) =>
        runOf(partition(0, { state: 'proving', taskId: 't', provingEpoch, sectors: Bitfield.of(six) }));
      const faults = [0, 1, 2, 3].map((sector) => ({ sector, class: 'bad', reason: 'no such file' }) as const);
      const [early] = decided(proving(110), 120, { task: { state: 'faulted', faults } });
      expect(early?.kind === 'recheck' && early.skipped.isEmpty).toBe(true);
      expect(decided(proving(146), 147, { task: { state: 'faulted', faults } })).toMatchObject([
        { kind: 'leave-out', from: 'proving' },
      ]);
    });
  });

  describe('of a partition with recovering sectors, which are faulty already', () => {
    const ten = Array.from({ length: 10 }, (_, number) => number);
    const recovering = (count: number) =>
      runOf(partition(0, { sectors: Bitfield.of(ten), recovering: Bitfield.of(ten.slice(10 - count)) }));
    const checksWith = (missing: readonly number[], atEpoch: number) => ({
      atEpoch,
      sectors: ten.map((number) => (missing.includes(number) ? lost(number, 'bad') : good(number))),
    });
    const skippedAt = (run: Run, missing: readonly number[], height: number) =>
      decided(run, height, { checks: checksWith(missing, height) }).map((action) =>
        action.kind === 'prove' ? [...action.skipped] : action.kind,
      );

    it('skips any number of them, since only leaving out would cost', () => {
      expect(skippedAt(recovering(7), [3, 4, 5, 6, 7, 8, 9], 146)).toEqual([[3, 4, 5, 6, 7, 8, 9]]);
      expect(skippedAt(recovering(9), ten.slice(1), 146)).toEqual([ten.slice(1)]);
    });

    it('still waits for so many until the reserve', () => {
      expect(skippedAt(recovering(7), [3, 4, 5, 6, 7, 8, 9], 144)).toEqual([]);
    });

    it('weighs the active ones that are skipped against recovering ones that would come back', () => {
      // 2 of 3 active sectors are gone, and 7 recovering ones come back: 2 * 4.51 days against 3 + 7 * 4.51.
      expect(skippedAt(recovering(7), [0, 1], 146)).toEqual([[0, 1]]);
      // 2 of 3 active sectors are gone with all the recovering ones: 2 * 4.51 against 3.
      expect(skippedAt(recovering(7), ten.slice(1), 146)).toEqual(['leave-out']);
    });

    it('leaves out what is wholly unreadable', () => {
      expect(skippedAt(recovering(10), ten, 146)).toEqual(['leave-out']);
    });

    it('counts so what a slave could not read', () => {
      const proving = { ...recovering(7).partitions[0], state: 'proving', taskId: 't', provingEpoch: 146 } as const;
      const faults = [3, 4, 5, 6, 7, 8, 9].map((sector) => ({ sector, class: 'unknown', reason: 'EIO' }) as const);
      const [action] = decided(runOf(partition(0, proving)), 147, { task: { state: 'faulted', faults } });
      expect(action?.kind === 'recheck' && action.skipped.count).toBe(7);
    });
  });

  it('never asks for a proof of nothing, but goes on looking until Close', () => {
    const checks = { atEpoch: 150, sectors: [lost(0, 'bad'), lost(1, 'unknown')] };
    expect(decided(run, 152, { checks })).toMatchObject([{ kind: 'leave-out' }]);
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
    const task = { state: 'proven', proof, tookMs: 7 } as const;
    expect(decided(run, 144, { task })).toEqual([{ kind: 'accept', partition: 0, proof, tookMs: 7, mayRefuse: true }]);
    // The reserve: no other one would be there in time.
    expect(decided(run, 145, { task })).toMatchObject([{ kind: 'accept', mayRefuse: false }]);
  });

  it('looks at a refused proof at each head, paused or not, and goes on', () => {
    for (const state of ['checking', 'proving', 'left-out'] as const) {
      const doubted = runOf(partition(0, { state, taskId: 't', refusedProof: new Uint8Array(192) }));
      const known = { task: { state: 'failed', reason: 'no GPU' }, pausedUntil: 120 } as const;
      expect(decided(doubted, 110, known)).toEqual([{ kind: 'look-again', partition: 0, from: state }]);
      expect(decided(doubted, 110, { ...known, lookedAgainAt: 109 })).toHaveLength(1);
      expect(decided(doubted, 110, { ...known, lookedAgainAt: 110 })).toEqual([]);
    }
    const proving = runOf(partition(0, { state: 'proving', taskId: 't', refusedProof: new Uint8Array(192) }));
    const known = { task: { state: 'failed', reason: 'no GPU' }, lookedAgainAt: 110 } as const;
    expect(decided(proving, 110, known)).toMatchObject([{ kind: 'recheck' }]);
    const sending = runOf(partition(0, { state: 'sending', refusedProof: new Uint8Array(192) }));
    expect(decided(sending, 110)).toEqual([]);
  });

  it('gives up bad sectors at once, unknown ones only when the proof began in the reserve', () => {
    const sectors = Bitfield.of([0, 1, 9, 10]);
    const faults = [
      { sector: 0, class: 'bad', reason: 'corrupt' },
      { sector: 1, class: 'unknown', reason: 'EIO' },
    ] as const;
    const skippedAt = (height: number, provingEpoch: number) =>
      decided(runOf(partition(0, { state: 'proving', taskId: 't', provingEpoch, sectors })), height, {
        task: { state: 'faulted', faults },
      }).flatMap((action) => (action.kind === 'recheck' ? [...action.skipped] : []));
    expect(skippedAt(144, 120)).toEqual([0]);
    expect(skippedAt(150, 120)).toEqual([0]);
    expect(skippedAt(150, 145)).toEqual([0, 1]);
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
    expect(decide(runOf(proven(0)), { height: 110, pace, partitions: new Map() }, policy)).toEqual([]);
  });

  it('proves again when the challenge changed', () => {
    const other = new Uint8Array(32);
    expect(decided(runOf(proven(0)), 110, {}, other)).toEqual([{ kind: 'restart', randomness: other }]);
  });

  describe('a refused message of several', () => {
    const sending = (index: number) => proven(index, { state: 'sending', messageId: 'm' });
    const run = runOf(sending(0), sending(1), sending(2));
    const limits = (reason: string, posted: readonly number[] = []) =>
      decide(
        run,
        {
          height: 110,
          pace,
          randomness,
          partitions: new Map(
            [0, 1, 2].map((index) => [index, { message: { state: 'failed', reason }, posted: posted.includes(index) }]),
          ),
        },
        policy,
      ).map((action) => (action.kind === 'resend' ? action.messageLimit : action.kind));

    it('is halved when it takes too much gas', () => {
      expect(limits('gas-limit: 11000000000 of 10000000000')).toEqual([2, 2, 2]);
    });

    it('loses only the partition that is proven already', () => {
      expect(limits('exit code 16', [1])).toEqual([0, 'finish', 0]);
    });

    it('is taken apart for any other reason', () => {
      expect(limits('exit code 16')).toEqual([1, 1, 1]);
    });

    it('is made anew within the limits of its partitions', () => {
      const limited = [0, 1, 2].map((index) => proven(index, { messageLimit: 2 }));
      expect(decided(runOf(...limited), 110)).toEqual([
        { kind: 'submit', partitions: [0, 1] },
        { kind: 'submit', partitions: [2] },
      ]);
    });
  });

  describe('after a reorganisation', () => {
    const commitment = new Uint8Array(32).fill(1);
    const sent = (state: 'sending' | 'landed', changes = {}) =>
      runOf(proven(0, { state, messageId: 'm', commitment, ...changes }));
    const decidedWith = (run: Run, now: Uint8Array, facts: PartitionFacts) =>
      decide(run, { height: 110, pace, randomness, commitment: now, partitions: new Map([[0, facts]]) }, policy);
    const other = new Uint8Array(32).fill(2);
    const pending = { message: { state: 'pending' }, posted: false } as const;

    it('makes a message anew whose chain commitment holds no more', () => {
      expect(decidedWith(sent('sending'), commitment, pending)).toEqual([]);
      expect(decidedWith(sent('sending'), other, pending)).toMatchObject([{ kind: 'resend', to: 'proven' }]);
      expect(decidedWith(sent('sending'), other, { ...pending, posted: true })).toEqual([]);
    });

    it('waits where the outbox says landed and this head does not', () => {
      const landed = { message: { state: 'landed', height: 108 } } as const;
      expect(decidedWith(sent('sending'), commitment, { ...landed, posted: false })).toEqual([]);
      expect(decidedWith(sent('sending'), commitment, { ...landed, posted: true })).toMatchObject([{ kind: 'finish' }]);
    });

    it('delivers it again where a head well above the landing does not show it', () => {
      const landed = { message: { state: 'landed', height: 107 }, posted: false } as const;
      expect(decidedWith(sent('sending'), commitment, landed)).toEqual([
        { kind: 'reopen', partition: 0, from: 'sending' },
      ]);
      expect(decidedWith(sent('sending'), other, landed)).toMatchObject([{ kind: 'resend', to: 'proven' }]);
    });

    it('delivers a landed message again that the chain has no more', () => {
      expect(decidedWith(sent('landed'), commitment, { posted: true })).toEqual([]);
      expect(decidedWith(sent('landed'), commitment, { posted: false })).toEqual([
        { kind: 'reopen', partition: 0, from: 'landed' },
      ]);
      expect(decidedWith(sent('landed'), other, { posted: false })).toMatchObject([{ kind: 'resend', to: 'proven' }]);
      expect(decidedWith(sent('landed', { proof: null }), commitment, { posted: false })).toMatchObject([
        { kind: 'resend', to: 'checking' },
      ]);
    });
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
    expect(decided(run, 160, { task: { state: 'proven', proof: new Uint8Array(192), tookMs: 1 } })).toMatchObject([
      { kind: 'finish', partition: 0, state: 'missed' },
      { kind: 'finish', partition: 1, state: 'missed' },
      { kind: 'finish', partition: 2, state: 'missed' },
    ]);
  });

  it('waits for a message under way, which may have been included at the last moment', () => {
    const run = runOf(partition(0, { state: 'sending', messageId: 'm' }));
    expect(decided(run, 165, { message: { state: 'pending' } })).toEqual([]);
    expect(decided(run, 5000, { message: { state: 'pending' } })).toEqual([]);
    const landed = { message: { state: 'landed', height: 160 } } as const;
    expect(decided(run, 165, { ...landed, posted: true })).toMatchObject([{ kind: 'finish', state: 'landed' }]);
    expect(decided(run, 165, { message: { state: 'failed', reason: 'exit 16' } })).toMatchObject([
      { kind: 'finish', state: 'missed', reason: 'exit 16' },
    ]);
  });

  it('believes a landing only where the chain has the message, and gives it up only where Close is deep', () => {
    const run = runOf(partition(0, { state: 'sending', messageId: 'm' }));
    const landed = { message: { state: 'landed', height: 150 } } as const;
    expect(decided(run, 165, landed)).toEqual([]);
    expect(decided(run, 169, { ...landed, posted: false })).toEqual([]);
    expect(decided(run, 170, { ...landed, posted: false })).toMatchObject([{ kind: 'finish', state: 'missed' }]);
  });

  it('closes the run when every partition is finished and Close is deep, but not before', () => {
    const landed = runOf(partition(0, { state: 'landed' }));
    expect(decided(landed, 159)).toEqual([]);
    const run = runOf(partition(0, { state: 'landed' }), partition(1, { state: 'missed' }));
    expect(decided(run, 169)).toEqual([]);
    expect(decided(run, 170)).toEqual([{ kind: 'close' }]);
  });

  it('takes up what was missed where the head goes back below Close', () => {
    const missed = (changes: Partial<RunPartition> = {}) => runOf(partition(0, { state: 'missed', ...changes }));
    expect(decided(missed(), 120)).toEqual([]);
    expect(decided(missed(), 120, { posted: false })).toMatchObject([
      { kind: 'resend', from: 'missed', to: 'checking' },
    ]);
    expect(decided(missed(), 90)).toMatchObject([{ kind: 'resend', to: 'checking' }]);
    const proven = missed({ proof: new Uint8Array(192), messageId: 'm' });
    expect(decided(proven, 120, { posted: false })).toMatchObject([{ kind: 'resend', to: 'proven' }]);
    expect(decided(proven, 120, { posted: true })).toMatchObject([{ kind: 'finish', state: 'landed' }]);
  });
});
