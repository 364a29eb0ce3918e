import { untilSignal } from '../../../../cli/until-signal.ts';
import { CodedError } from '../../../../errors/coded-error.ts';
import { proveLocally } from '../../../../ext-processor/local-prover.ts';
import { createVerifier } from '../../../../ext-processor/verifier.ts';
import { formatAddress } from '../../../../filecoin/address.ts';
import { Bitfield } from '../../../../filecoin/bitfield.ts';
import { proofSeed } from '../../../../filecoin/randomness.ts';
import { challengeRandomness } from '../../../../poster/challenge.ts';
import { allKnown, checkSectors } from '../../../../poster/read-sectors.ts';
import { windowTask } from '../../../../poster/window-task.ts';
import type { WindowPostTask } from '../../../../rpc/window-post.ts';
import type { GoodSector } from '../../../../stores/sector-check.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Verb } from '../verb.ts';
import { minerScope } from './miner-scope.ts';
import { type PartitionScope, partitionScope, storeChecker } from './partition-scope.ts';
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
    const made = await provenProof(toolbox, scope, isSet(written, 'skipUnreadable'), signal);
    const sent = sender === undefined ? undefined : await sendProof(scope, made, sender, signal);
    const exitCode = sent === undefined || sent.landed.exitCode === 0 ? 0 : 1;
    const json = {
      miner: formatAddress(scope.address),
      deadline: scope.deadline.index,
      partition: scope.partition,
      challenge: scope.deadline.challenge,
      sectors: scope.wanted.count - made.skipped.count,
      skipped: [...made.skipped],
      proof: Buffer.from(made.bytes).toString('base64'),
      message: sent?.cid ?? null,
      exitCode: sent?.landed.exitCode ?? null,
      height: sent?.landed.height ?? null,
    };
    const landing =
      sent === undefined
        ? 'verified; nothing was sent (--send sends it)'
        : `verified; message ${sent.cid} was executed at epoch ${sent.landed.height} with exit code ${sent.landed.exitCode}`;
    const left = made.skipped.isEmpty ? '' : `, left out: ${[...made.skipped].join(', ')}`;
    return {
      json,
      text: `deadline ${json.deadline}, partition ${json.partition}: ${json.sectors} sectors proven${left}\n${landing}`,
      exitCode,
    };
  },
};

/** @throws CodedError `too-early`, `already-proven` */
async function checkWindow({ chain, address, head, deadline, partition }: PartitionScope): Promise<void> {
  if (head.height <= deadline.challenge) {
    throw new CodedError(
      'too-early',
      `deadline ${deadline.index} opens at epoch ${deadline.open}; its challenge is drawn at ${deadline.challenge}, and the ` +
        `chain is at ${head.height}`,
    );
  }
  if (head.height < deadline.open) return;
  const posted = (await chain.deadlines(address, head.key))[deadline.index]?.postSubmissions;
  if (posted?.has(partition)) {
    throw new CodedError(
      'already-proven',
      `deadline ${deadline.index}, partition ${partition} is proven on chain already`,
    );
  }
}

/** A proof that verifies against the challenge read afresh, and what it leaves out. */
async function provenProof(
  toolbox: Toolbox,
  scope: PartitionScope,
  maySkip: boolean,
  signal: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly skipped: Bitfield }> {
  const { chain, address, minerId, proofType, wanted, infos, head, deadline } = scope;
  const sectors = allKnown(wanted, [...infos.values()]);
  const checks = await checkSectors(await storeChecker(toolbox), { minerId, proofType, sectors, signal });
  let good = checks.filter((check) => check.verdict === 'good');
  const doubtful = checks.filter((check) => check.verdict !== 'good');
  if (doubtful.length > 0) judgeSkips(doubtful, maySkip);
  const randomness = await challengeRandomness(chain, address, deadline.challenge, head.key);
  const taskOf = (some: readonly GoodSector[]) => windowTask({ minerId, proofType, sectors: some, infos, randomness });
  for (;;) {
    if (good.length === 0) throw new CodedError('nothing-to-prove', 'no sector of the partition can be read');
    const { proofs, faults, details } = await proveLocally(toolbox, taskOf(good), { signal });
    const [proof] = proofs;
    if (proof !== undefined) {
      const bytes = Buffer.from(proof, 'base64');
      await verifyAfresh(toolbox, scope, taskOf(good), bytes);
      return { bytes, skipped: wanted.subtract(Bitfield.of(good.map(({ number }) => number))) };
    }
    if (faults.length === 0) throw new CodedError('prover-failed', 'the prover answered with neither proof nor faults');
    const reasons = new Map(details?.map((detail) => [detail.sector_id, detail.reason]));
    judgeSkips(
      faults.map((number) => ({ number, reason: reasons.get(number) ?? 'unreadable' })),
      maySkip,
    );
    good = good.filter(({ number }) => !faults.includes(number));
  }
}

/** @throws CodedError `invalid-proof` */
async function verifyAfresh(
  toolbox: Toolbox,
  { chain, address, deadline }: PartitionScope,
  task: WindowPostTask,
  proof: Uint8Array,
): Promise<void> {
  const head = await chain.head();
  const seed = proofSeed(await challengeRandomness(chain, address, deadline.challenge, head.key));
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
