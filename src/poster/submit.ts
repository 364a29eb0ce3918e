import type { TipSet } from '../chain/tipset.ts';
import { CodedError, errorCode } from '../errors/coded-error.ts';
import { encodeCbor } from '../filecoin/cbor.ts';
import { MinerMethod } from '../filecoin/miner-methods.ts';
import { submitWindowedPoStParams } from '../filecoin/miner-params.ts';
import { RandomnessTag } from '../filecoin/randomness.ts';
import { addIntent } from '../outbox/add-intent.ts';
import { challengeRandomness } from './challenge.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import type { Run, RunPartition } from './run.ts';
import { movePartition } from './run-store.ts';
import { type SectorInfos, verifyProof } from './window-proof.ts';

/**
 * proven → sending: verifies the joined proof against the challenge read afresh, draws the chain commitment, and stores the
 * message's intent and the partitions' new state in one transaction. The outbox does the rest.
 */
export async function submit(
  components: PosterComponents,
  miner: MinerSettings,
  run: Run,
  indices: readonly number[],
  infos: SectorInfos,
  head: TipSet,
): Promise<void> {
  const { chain, db, verifier, logger, onIntent } = components;
  const partitions = run.partitions.filter((partition) => indices.includes(partition.index));
  const proof = Buffer.concat(partitions.map((partition) => partition.proof ?? Buffer.alloc(0)));
  const [randomness, chainCommitRand] = await Promise.all([
    challengeRandomness(chain, miner.address, run.challenge, head.key),
    chain.ticketRandomness(RandomnessTag.PoStChainCommit, run.challenge, null, head.key),
  ]);
  try {
    await verifyProof(verifier, run, partitions, proof, randomness, infos);
  } catch (error) {
    if (errorCode(error) === 'invalid-proof') await setAside(components, run, partitions, randomness, infos);
    throw error;
  }
  const params = encodeCbor(submitWindowedPoStParams, {
    deadline: run.deadline,
    partitions: partitions.map(({ index, skipped }) => ({ index, skipped })),
    proofs: [{ poStProof: run.proofType, proofBytes: proof }],
    chainCommitEpoch: run.challenge,
    chainCommitRand,
  });
  const id = await db.transaction(async (trx) => {
    const messageId = await addIntent(trx, {
      minerId: miner.minerId,
      purpose: 'submit',
      runId: run.id,
      sender: miner.sender,
      recipient: miner.address,
      method: MinerMethod.SubmitWindowedPoSt,
      params,
      maxFee: miner.maxFee,
      expiresEpoch: run.close,
      confidence: miner.messageConfidence,
    });
    for (const { index } of partitions) {
      const moved = await movePartition(
        trx,
        { runId: run.id, index, from: 'proven' },
        { state: 'sending', message_id: messageId, commitment: Buffer.from(chainCommitRand), reason: null },
      );
      if (!moved)
        throw new CodedError(
          'stale-run',
          `partition ${index} of deadline ${run.deadline} was moved by another manager`,
        );
    }
    return messageId;
  });
  logger.info(
    { minerId: miner.minerId, deadline: run.deadline, partitions: indices, height: head.height },
    `Submitted window post: ${id}`,
  );
  onIntent();
}

/** Of a batch that does not verify: proofs that do not hold are made again (and looked at again), the others go alone. */
async function setAside(
  { db, verifier }: PosterComponents,
  run: Run,
  partitions: readonly RunPartition[],
  randomness: Uint8Array,
  infos: SectorInfos,
): Promise<void> {
  for (const partition of partitions) {
    const holds = await verifyProof(
      verifier,
      run,
      [partition],
      partition.proof ?? Buffer.alloc(0),
      randomness,
      infos,
    ).then(
      () => true,
      (error: unknown) => {
        if (errorCode(error) === 'invalid-proof') return false;
        throw error;
      },
    );
    const changes = holds
      ? { message_limit: 1 }
      : {
          state: 'checking' as const,
          proof: null,
          refused_proof: partition.proof === null ? null : Buffer.from(partition.proof),
          task_id: null,
          reason: 'its proof did not verify',
        };
    await db.transaction((trx) =>
      movePartition(trx, { runId: run.id, index: partition.index, from: 'proven' }, changes),
    );
  }
}
