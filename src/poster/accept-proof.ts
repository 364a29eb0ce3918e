import type { TipSet } from '../chain/tipset.ts';
import { errorCode } from '../errors/coded-error.ts';
import { challengeRandomness } from './challenge.ts';
import type { MinerSettings, PosterComponents } from './components.ts';
import type { Run, RunPartition } from './run.ts';
import { movePartition } from './run-store.ts';
import { type SectorInfos, verifyProof } from './window-proof.ts';

interface Made {
  readonly run: Run;
  readonly partition: RunPartition;
  readonly proof: Uint8Array;
  readonly infos: SectorInfos;
  readonly head: TipSet;
}

/**
 * So many are made anew for a partition. Past that it is this host that cannot verify them, sooner than slave after slave that cannot
 * prove.
 */
const MOST_REFUSED = 3;

const conditionOf = ({ run, partition }: Made): string =>
  `proof-refused/${run.minerId}/${run.deadline}/${partition.index}`;

/**
 * Verifies what the master calls proven, against the challenge read afresh. One that does not hold is kept with the row, since our
 * verifier may be wrong, and refused while there is time for another: the master remembers proofs as answers, and would give the same
 * one until Close.
 * @throws CodedError `invalid-proof`
 */
export async function acceptProof(
  components: PosterComponents,
  miner: Pick<MinerSettings, 'address'>,
  made: Made & { readonly mayRefuse: boolean },
): Promise<void> {
  const randomness = await challengeNow(components, miner, made);
  try {
    await verify(components, made, randomness);
  } catch (error) {
    // For another challenge every proof is wrong; the run begins anew then.
    const isSameChallenge = Buffer.from(randomness).equals(made.run.randomness);
    if (errorCode(error) === 'invalid-proof' && isSameChallenge) await doubt(components, made);
    throw error;
  }
}

/**
 * Verifies a proof that did not verify before.
 * @throws CodedError `invalid-proof`
 */
export async function lookAgain(
  components: PosterComponents,
  miner: Pick<MinerSettings, 'address'>,
  made: Made,
): Promise<void> {
  await verify(components, made, await challengeNow(components, miner, made));
}

const challengeNow = ({ chain }: PosterComponents, { address }: Pick<MinerSettings, 'address'>, { run, head }: Made) =>
  challengeRandomness(chain, address, run.challenge, head.key);

async function verify({ alerts, verifier }: PosterComponents, made: Made, randomness: Uint8Array): Promise<void> {
  const { run, partition, proof, infos } = made;
  await verifyProof(verifier, run, [partition], proof, randomness, infos);
  alerts.resolve(conditionOf(made));
}

async function doubt(components: PosterComponents, made: Made & { readonly mayRefuse: boolean }): Promise<void> {
  const { alerts, db } = components;
  const { run, partition, proof, mayRefuse } = made;
  const { minerId, deadline } = run;
  const at = { runId: run.id, index: partition.index, from: 'proving' as const, taskId: partition.taskId };
  // Kept before the master forgets it.
  const isKept = await db.transaction((trx) => movePartition(trx, at, { refused_proof: Buffer.from(proof) }));
  if (!isKept) return;
  const isDue = mayRefuse && partition.refusedProofs < MOST_REFUSED;
  const isTaken = isDue && (await refuse(components, made));
  const refusedProofs = partition.refusedProofs + 1;
  // Counted once it is true: a kill before that adds a try.
  if (isTaken) await db.transaction((trx) => movePartition(trx, at, { refused_proofs: refusedProofs }));
  const outcome = isTaken
    ? `another one is made (${refusedProofs} of ${MOST_REFUSED})`
    : isDue
      ? 'the master does not make another one'
      : `no other one is made any more (${mayRefuse ? `${MOST_REFUSED} were` : 'there is no time left'})`;
  const text =
    `miner ${minerId}, deadline ${deadline}, partition ${partition.index}: a proof that the master had verified does not verify here; ` +
    `it is looked at again until Close, and ${outcome}. ` +
    'Compare the parameter files of this host with those of the master and the slaves';
  alerts.raise(conditionOf(made), { class: 'proof-refused', severity: 'critical', minerId, deadline, text });
}

/** Whether the master took it. */
async function refuse({ logger, tasks }: PosterComponents, { run, partition, proof }: Made): Promise<boolean> {
  const { minerId, deadline } = run;
  const { index, taskId } = partition;
  if (taskId === null) return false;
  const at = { minerId, deadline, partition: index, task: taskId };
  logger.error(at, 'proof refused, asking for another');
  try {
    return await tasks.refuse(taskId, proof, 'it does not verify at the manager');
  } catch (err) {
    // One of an older version cannot be told.
    logger.warn({ ...at, err }, 'the master did not take the refusal');
    return false;
  }
}
