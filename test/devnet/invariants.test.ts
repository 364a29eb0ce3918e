import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { MinerMethod } from '../../src/filecoin/miner-methods.ts';
import {
  declareFaultsParams,
  declareFaultsRecoveredParams,
  submitWindowedPoStParams,
} from '../../src/filecoin/miner-params.ts';
import { windowPoStProofType } from '../../src/filecoin/proof-types.ts';
import type { ActorContext } from '../../src/programs/devnet/actor/context.ts';
import { endEpoch } from '../../src/programs/devnet/actor/deadline-end.ts';
import { invokeMiner } from '../../src/programs/devnet/actor/invoke.ts';
import { genesisMiner } from '../../src/programs/devnet/state/genesis-miner.ts';
import { currentDeadline, type MinerState } from '../../src/programs/devnet/state/miner-state.ts';
import { goodProof, MINER, numberedSectors } from './chain-under-test.ts';

const OWNER = 100;
const SECTORS = 10;

type Step =
  | { readonly kind: 'wait'; readonly epochs: number }
  | { readonly kind: 'submit'; readonly partition: number; readonly skipped: readonly number[] }
  | { readonly kind: 'faults' | 'recovered'; readonly deadline: number; readonly sectors: readonly number[] };

const sectors = fc.uniqueArray(fc.nat(SECTORS), { maxLength: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('wait'), epochs: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ kind: fc.constant('submit'), partition: fc.nat(1), skipped: sectors }),
  fc.record({ kind: fc.constantFrom('faults', 'recovered'), deadline: fc.nat(5), sectors }),
);

function context(epoch: number): ActorContext {
  const drawn = (): Uint8Array => new Uint8Array(32);
  const randomness = { beacon: drawn, ticket: drawn };
  const verifier = { verify: () => Promise.resolve({ valid: true, reason: null }) };
  return { epoch, caller: OWNER, message: `message of ${epoch}`, randomness, verifier };
}

async function take(miner: MinerState, epoch: number, action: Exclude<Step, { kind: 'wait' }>): Promise<MinerState> {
  const [method, params] = encode(miner, epoch, action);
  const result = await invokeMiner(context(epoch), miner, method, params, []).catch(() => undefined);
  return result?.miner ?? miner;
}

function encode(miner: MinerState, epoch: number, action: Exclude<Step, { kind: 'wait' }>): [number, Uint8Array] {
  if (action.kind === 'submit') {
    const params = {
      deadline: currentDeadline(miner, epoch).index,
      partitions: [{ index: action.partition, skipped: Bitfield.of(action.skipped) }],
      proofs: [{ poStProof: 10, proofBytes: goodProof }],
      chainCommitEpoch: epoch - 1,
      chainCommitRand: new Uint8Array(32),
    };
    return [MinerMethod.SubmitWindowedPoSt, encodeCbor(submitWindowedPoStParams, params)];
  }
  const list = [{ deadline: action.deadline, partition: 0, sectors: Bitfield.of(action.sectors) }];
  return action.kind === 'faults'
    ? [MinerMethod.DeclareFaults, encodeCbor(declareFaultsParams, { faults: list })]
    : [MinerMethod.DeclareFaultsRecovered, encodeCbor(declareFaultsRecoveredParams, { recoveries: list })];
}

function check(miner: MinerState, epoch: number): void {
  const open = currentDeadline(miner, epoch).index;
  const all: number[] = [];
  for (const [index, { partitions, posted, proofs }] of miner.deadlines.entries()) {
    for (const partition of partitions) {
      all.push(...partition.all);
      expect(partition.faulty.subtract(partition.all).isEmpty).toBe(true);
      expect(partition.recovering.subtract(partition.faulty).isEmpty).toBe(true);
    }
    expect(posted.subtract(Bitfield.of(partitions.keys())).isEmpty).toBe(true);
    expect(Bitfield.empty.union(...proofs.map((proof) => proof.partitions)).subtract(posted).isEmpty).toBe(true);
    if (index !== open) expect(posted.isEmpty && proofs.length === 0).toBe(true);
  }
  expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: SECTORS }, (_, number) => number));
}

test('whatever is sent, recovering is within faulty, faulty within the partition, and posts stand in the open deadline', async () => {
  const proofType = windowPoStProofType(2048);
  const init = {
    id: MINER,
    owner: OWNER,
    worker: OWNER,
    proofType,
    sectors: numberedSectors(SECTORS),
    partitionsPerDeadline: 1,
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      let epoch = 150;
      let miner = genesisMiner(init, 0);
      for (const action of steps) {
        if (action.kind === 'wait') {
          for (const last = epoch + action.epochs; epoch < last; epoch++) miner = endEpoch(miner, epoch).miner;
        } else {
          miner = await take(miner, epoch, action);
        }
        check(miner, epoch);
      }
    }),
    { numRuns: 150 },
  );
});
