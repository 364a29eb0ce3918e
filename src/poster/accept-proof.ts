import type { TipSet } from '../chain/tipset.ts';
import { errorCode } from '../errors/coded-error.ts';
import { challengeRandomness } from './challenge.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import type { Run, RunPartition } from './run.ts';
import { movePartition } from './run-store.ts';
import { type SectorInfos, verifyProof } from './window-proof.ts';

interface Proven {
  readonly run: Run;
  readonly partition: RunPartition;
  readonly proof: Uint8Array;
  readonly infos: SectorInfos;
  readonly head: TipSet;
}

/**
 * So many are made anew for a partition. Past that it is this host that cannot verify them, sooner than slave after slave that cannot
 * prove: then the last one is looked at again until Close, since parameter files may be mended.
 */
const MOST_REFUSED = 3;

/**
 * Verifies what the master calls proven, against the challenge read afresh. One that does not hold is refused: the master remembers
 * proofs as answers, and would give the same one until Close.
 * @throws CodedError `invalid-proof`
 */
export async function acceptProof(
  components: PosterComponents,
  miner: Pick<MinerSettings, 'address'>,
  proven: Proven,
): Promise<void> {
  const { alerts, chain, verifier } = components;
  const { run, partition, proof, infos, head } = proven;
  const condition = `proof-refused/${run.minerId}/${run.deadline}/${partition.index}`;
  const randomness = await challengeRandomness(chain, miner.address, run.challenge, head.key);
  try {
    await verifyProof(verifier, run, [partition], proof, randomness, infos);
    alerts.resolve(condition);
  } catch (error) {
    // For another challenge every proof is wrong; the run begins anew then.
    const isSameChallenge = Buffer.from(randomness).equals(run.randomness);
    if (errorCode(error) === 'invalid-proof' && isSameChallenge) await refuse(components, proven, condition);
    throw error;
  }
}

/** Counted before the master is asked, so that a kill between the two costs a try and never adds one. */
async function refuse(
  { alerts, db, logger, tasks }: PosterComponents,
  { run, partition, proof }: Proven,
  condition: string,
): Promise<void> {
  const { minerId, deadline, id: runId } = run;
  const { index, taskId, refusedProofs } = partition;
  const isAskedAnew = taskId !== null && refusedProofs < MOST_REFUSED;
  const text =
    `miner ${minerId}, deadline ${deadline}, partition ${index}: a proof that the master had verified does not verify here; ` +
    (isAskedAnew ? `it is made anew (${refusedProofs + 1} of ${MOST_REFUSED})` : 'it is not made anew any more') +
    '. Compare the parameter files of this host with those of the master and the slaves';
  alerts.raise(condition, { class: 'proof-refused', severity: 'critical', minerId, deadline, text });
  if (!isAskedAnew) return;
  const at = { runId, index, from: 'proving' as const, taskId };
  const isCounted = await db.transaction((trx) => movePartition(trx, at, { refused_proofs: refusedProofs + 1 }));
  if (!isCounted) return;
  logger.error({ minerId, deadline, partition: index, task: taskId }, 'proof refused, asking for another');
  try {
    await tasks.refuse(taskId, proof, 'it does not verify at the manager');
  } catch (err) {
    // One of an older version cannot be told; the alert stands.
    logger.warn({ err, minerId, deadline, task: taskId }, 'the master did not take the refusal');
  }
}
