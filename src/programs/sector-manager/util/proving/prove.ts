import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilSignal } from '../../../../cli/until-signal.ts';
import { retry } from '../../../../clock/retry.ts';
import { CodedError, errorCode } from '../../../../errors/coded-error.ts';
import { proveLocally } from '../../../../ext-processor/local-prover.ts';
import { rehearsalFaults } from '../../../../ext-processor/rehearser.ts';
import { createVerifier } from '../../../../ext-processor/verifier.ts';
import { Bitfield } from '../../../../filecoin/bitfield.ts';
import { proofSeed } from '../../../../filecoin/randomness.ts';
import { challengeRandomness } from '../../../../poster/challenge.ts';
import { allKnown, checkSectors } from '../../../../poster/read-sectors.ts';
import { windowTask } from '../../../../poster/window-task.ts';
import type { WindowPostTask } from '../../../../rpc/window-post.ts';
import type { GoodSector, SectorCopy } from '../../../../stores/sector-check.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Verb } from '../verb.ts';
import { throwIfProven } from './already-proven.ts';
import { minerScope } from './miner-scope.ts';
import { withOtherCopies } from './other-copies.ts';
import { type PartitionScope, partitionScope, storeChecker } from './partition-scope.ts';
import { type MadeProof, type ProofJson, proofToJson, readProof, writeProof } from './proof-file.ts';
import { sendProof } from './send-proof.ts';
import { senderOf } from './sender.ts';
import { deadlineIndex, isSet, numberOption } from './usage.ts';

export const prove: Verb = {
  name: 'prove',
  example: '--deadline 5 --partition 0 --send',
  about:
    'in an emergency: prove a partition for its present window with the prover of this host; needs node, stores and ' +
    'parameters only',
  options: [
    { flags: '--deadline <index>', about: 'deadline: from its challenge on until it closes' },
    { flags: '--partition <index>', about: 'partition' },
    { flags: '--send', about: 'send the proof as soon as the deadline is open; the node gives the nonce' },
    { flags: '--out <file>', about: 'where the proof is kept (default: a file in the temporary folder)' },
    { flags: '--proof <file>', about: 'take the proof that was kept there, make none' },
    { flags: '--skip-unreadable', about: 'leave out sectors that cannot be read: the chain declares them faulty' },
    { flags: '--from <address>', about: 'who pays (default: [Miners.PoSt] Sender)' },
  ],
  async run(toolbox, written) {
    const signal = untilSignal();
    const miner = await minerScope(toolbox, written);
    const scope = await partitionScope(miner, {
      deadline: deadlineIndex(written.options.deadline, '--deadline'),
      partition: numberOption(written, 'partition', '--partition'),
      includeFaulty: false,
    });
    const sends = isSet(written, 'send');
    const sender = sends ? await senderOf(toolbox, scope, written) : undefined;
    await checkWindow(scope);
    const { proof: from } = written.options;
    const made =
      typeof from === 'string'
        ? await keptProof(toolbox, scope, from, signal)
        : await provenProof(toolbox, scope, isSet(written, 'skipUnreadable'), signal);
    const proof = proofToJson(scope, made);
    const kept = typeof from === 'string' ? from : await keep(toolbox, proof, written.options.out);
    const sent = sender === undefined ? undefined : await sendProof(toolbox, scope, made, sender, signal);
    const exitCode = sent === undefined || sent.landed.exitCode === 0 ? 0 : 1;
    const json = {
      ...proof,
      sectors: scope.wanted.count - made.skipped.count,
      file: kept,
      message: sent?.cid ?? null,
      exitCode: sent?.landed.exitCode ?? null,
      height: sent?.landed.height ?? null,
    };
    const landing =
      sent === undefined
        ? `verified; nothing was sent (--send --proof ${kept} sends it)`
        : `verified; message ${sent.cid} was executed at epoch ${sent.landed.height} with exit code ${sent.landed.exitCode}`;
    const left = made.skipped.isEmpty ? '' : `, left out: ${[...made.skipped].join(', ')}`;
    return {
      json,
      text: `deadline ${json.deadline}, partition ${json.partition}: ${json.sectors} sectors proven${left}\n${landing}`,
      exitCode,
    };
  },
};

/** Writes the proof down before it is sent, since minutes of work are in it. Where it cannot be written it goes to the log. */
async function keep({ logger }: Toolbox, proof: ProofJson, out: unknown): Promise<string> {
  const { miner, deadline, partition, challenge } = proof;
  const name = `window-post-${miner}-${deadline}-${partition}-${challenge}.json`;
  const file = typeof out === 'string' ? out : join(tmpdir(), name);
  await writeProof(file, proof).catch((err: unknown) => {
    logger.warn({ err, file, ...proof }, 'the proof could not be written');
  });
  return file;
}

/** @throws CodedError `bad-proof-file`, `invalid-proof` */
async function keptProof(
  toolbox: Toolbox,
  scope: PartitionScope,
  file: string,
  signal: AbortSignal,
): Promise<MadeProof> {
  const made = await readProof(file, scope);
  const { minerId, proofType, wanted, infos } = scope;
  // Of the files only the chain's side is looked at to verify.
  const nowhere = { verdict: 'good', store: '', sealedFile: '', cacheDir: '' } as const;
  const sectors = [...wanted.subtract(made.skipped)].map((number) => ({ number, ...nowhere }));
  const task = windowTask({ minerId, proofType, sectors, infos, randomness: new Uint8Array(32) });
  await verifyAfresh(toolbox, scope, { task, proof: made.bytes, signal });
  return made;
}

/** @throws CodedError `too-early`, `already-proven` */
async function checkWindow(scope: PartitionScope): Promise<void> {
  const { head, deadline } = scope;
  if (head.height <= deadline.challenge) {
    throw new CodedError(
      'too-early',
      `deadline ${deadline.index} opens at epoch ${deadline.open}; its challenge is drawn at ${deadline.challenge}, and the ` +
        `chain is at ${head.height}`,
    );
  }
  if (head.height < deadline.open) return;
  await throwIfProven(scope, head);
}

/** A proof that verifies against the challenge read afresh, and what it leaves out. */
async function provenProof(
  toolbox: Toolbox,
  scope: PartitionScope,
  maySkip: boolean,
  signal: AbortSignal,
): Promise<MadeProof> {
  const { chain, address, minerId, proofType, wanted, infos, head, deadline } = scope;
  const sectors = allKnown(wanted, [...infos.values()]);
  const checker = await storeChecker(toolbox);
  const checks = await checkSectors(checker, { minerId, proofType, sectors, signal });
  let good = checks.filter((check) => check.verdict === 'good');
  const doubtful = checks.filter((check) => check.verdict !== 'good');
  if (doubtful.length > 0) judgeSkips(doubtful, maySkip);
  const randomness = await challengeRandomness(chain, address, deadline.challenge, head.key);
  const taskOf = (some: readonly GoodSector[]) => windowTask({ minerId, proofType, sectors: some, infos, randomness });
  const tried: SectorCopy[] = [];
  for (;;) {
    if (good.length === 0) throw new CodedError('nothing-to-prove', 'no sector of the partition can be read');
    const output = await proveLocally(toolbox, taskOf(good), { signal });
    const faults = rehearsalFaults(output);
    const [proof] = output.proofs;
    if (proof !== undefined) {
      const bytes = Buffer.from(proof, 'base64');
      await verifyAfresh(toolbox, scope, { task: taskOf(good), proof: bytes, signal });
      return { bytes, skipped: wanted.subtract(Bitfield.of(good.map(({ number }) => number))) };
    }
    if (faults.size === 0) throw new CodedError('prover-failed', 'the prover answered with neither proof nor faults');
    const left = await withOtherCopies(checker, scope, {
      sectors: good,
      faults: new Set(faults.keys()),
      tried,
      signal,
    });
    const lost = good.filter(({ number }) => left.every((sector) => sector.number !== number));
    judgeSkips(
      lost.map(({ number }) => ({ number, reason: faults.get(number)?.reason ?? 'unreadable' })),
      maySkip,
    );
    good = left;
  }
}

/** A node that is away now is waited for: the proof would be lost. @throws CodedError `invalid-proof` */
async function verifyAfresh(
  toolbox: Toolbox,
  { chain, address, deadline }: PartitionScope,
  init: { readonly task: WindowPostTask; readonly proof: Uint8Array; readonly signal: AbortSignal },
): Promise<void> {
  const { task, proof, signal } = init;
  const waiting = {
    pauseMs: 1_000,
    maxPauseMs: 10_000,
    signal,
    isTransient: (error: unknown) => errorCode(error) === 'chain-unavailable',
    onFailure: (err: unknown) => toolbox.logger.warn({ err }, 'the challenge cannot be read, trying again'),
  };
  const randomness = await retry(toolbox.clock, waiting, async () =>
    challengeRandomness(chain, address, deadline.challenge, (await chain.head()).key),
  );
  const seed = proofSeed(randomness);
  const verifier = createVerifier(toolbox);
  try {
    const statement = Buffer.from(JSON.stringify({ ...task, seed: [...seed] }));
    const { valid, reason } = await verifier.verifyTask(statement, proof);
    if (!valid) throw new CodedError('invalid-proof', `the proof does not hold (${reason}); nothing was sent`);
  } finally {
    await verifier.close();
  }
}

/** @throws CodedError `unreadable-sectors` unless they may be left out */
function judgeSkips(sectors: readonly { readonly number: number; readonly reason: string }[], maySkip: boolean): void {
  const [first] = sectors;
  if (maySkip || first === undefined) return;
  throw new CodedError(
    'unreadable-sectors',
    `${sectors.length} sectors cannot be read, the first is ${first.number}: ${first.reason}; mend that, or leave them out ` +
      'with --skip-unreadable',
  );
}
