import { untilSignal } from '../../../../cli/until-signal.ts';
import { createVerifier } from '../../../../ext-processor/verifier.ts';
import { formatAddress } from '../../../../filecoin/address.ts';
import { challengeRandomness } from '../../../../poster/challenge.ts';
import { checkParameters } from '../../../../poster/check-parameters.ts';
import { allKnown, checkSectors } from '../../../../poster/read-sectors.ts';
import { type Simulation, simulatePartition } from '../../../../poster/simulate-partition.ts';
import { windowTask } from '../../../../poster/window-task.ts';
import type { GoodSector, SectorCopy } from '../../../../stores/sector-check.ts';
import type { StoreChecker } from '../../../../stores/store-checker.ts';
import type { Verb } from '../verb.ts';
import { masterTasks } from './master-tasks.ts';
import { minerScope } from './miner-scope.ts';
import { withOtherCopies } from './other-copies.ts';
import { type PartitionScope, partitionScope, storeChecker } from './partition-scope.ts';
import { rememberPass } from './remember-pass.ts';
import { deadlineIndex, isSet, numberOption, wholeNumber } from './usage.ts';

/** Later than any real deadline that is proven now, so that no real task waits for this one in the queue. */
const GIVE_UP_MS = 2 * 3_600_000;
/** Randomness so young may still be undone by a reorganisation. */
const CHALLENGE_AGE_EPOCHS = 10;

export const simulateWdpost: Verb = {
  name: 'simulate-wdpost',
  example: '--ddl-idx 5 --partition-idx 0',
  about: 'prove one real partition through master and slaves, verify it and send nothing; exits with the verdict',
  options: [
    { flags: '--ddl-idx <index>', about: 'deadline' },
    { flags: '--partition-idx <index>', about: 'partition' },
    { flags: '--include-faulty', about: 'also the sectors that the chain counts as faulty' },
    { flags: '--challenge <epoch>', about: 'draw the randomness at this epoch (default: 10 epochs before the head)' },
  ],
  async run(toolbox, written) {
    const { clock } = toolbox;
    const signal = untilSignal();
    const deadline = deadlineIndex(written.options.ddlIdx, '--ddl-idx');
    const partition = numberOption(written, 'partitionIdx', '--partition-idx');
    const began = clock.monotonic();
    const since = (start: number) => Math.round(clock.monotonic() - start);
    const miner = await minerScope(toolbox, written);
    const includeFaulty = isSet(written, 'includeFaulty');
    const scope = await partitionScope(miner, { deadline, partition, includeFaulty });
    const { chain, minerId, address, head, proofType, wanted, infos } = scope;
    const challenge = challengeEpoch(scope, written.options.challenge);
    const randomness = await challengeRandomness(chain, address, challenge, head.key);
    const snapshotMs = since(began);

    // Minutes of a slave's work are worth nothing where its proof cannot be verified here.
    const verifier = createVerifier(toolbox);
    toolbox.onClose(() => verifier.close());
    await checkParameters(verifier, minerId, proofType);

    const checking = clock.monotonic();
    const checker = await storeChecker(toolbox);
    const sectors = allKnown(wanted, [...infos.values()]);
    const checks = await checkSectors(checker, { minerId, proofType, sectors, signal });
    const checkMs = since(checking);
    const good = checks.filter((check) => check.verdict === 'good');
    const skipped = checks.filter((check) => check.verdict !== 'good');

    const line = good.length === 0 ? undefined : { checker, verifier, tasks: await masterTasks(toolbox) };
    const { simulation, corrupt, proven } = line
      ? await simulate({ clock, ...line }, scope, { good, randomness, signal })
      : nothing;
    const passed = simulation?.passed === true && skipped.length === 0;
    const gate = simulation?.passed === true ? await rememberPass(toolbox, scope, simulation.task) : 'not passed';
    const json: Report = {
      miner: formatAddress(address),
      deadline,
      partition,
      challenge,
      sectors: wanted.count,
      proven,
      skipped,
      corrupt,
      faults: simulation?.faults ?? [],
      passed,
      reason: simulation?.reason ?? skippedText(skipped),
      task: simulation?.task ?? null,
      slave: simulation?.slave ?? null,
      attempts: simulation?.attempts ?? 0,
      snapshotMs,
      checkMs,
      proveMs: simulation?.proveMs ?? null,
      workMs: simulation?.workMs ?? null,
      verifyMs: simulation?.verifyMs ?? null,
      totalMs: since(began),
      gate,
    };
    return { json, text: textOf(json), exitCode: passed ? 0 : 1 };
  },
};

interface CorruptCopy extends SectorCopy {
  readonly reason: string;
}

interface Simulated {
  readonly simulation: Simulation | undefined;
  /** Copies that gave no proof where others did. */
  readonly corrupt: readonly CorruptCopy[];
  /** Sectors. */
  readonly proven: number;
}

const nothing: Simulated = { simulation: undefined, corrupt: [], proven: 0 };

/** As often as each sector that gave no proof has another copy. */
async function simulate(
  components: Parameters<typeof simulatePartition>[0] & { readonly checker: StoreChecker },
  scope: PartitionScope,
  init: { readonly good: readonly GoodSector[]; readonly randomness: Uint8Array; readonly signal: AbortSignal },
): Promise<Simulated> {
  const { minerId, proofType, infos } = scope;
  const { randomness, signal } = init;
  const tried: SectorCopy[] = [];
  const corrupt: CorruptCopy[] = [];
  for (let sectors = init.good; ; ) {
    const task = windowTask({ minerId, proofType, sectors, infos, randomness });
    const closeAt = components.clock.now() + GIVE_UP_MS;
    const simulation = await simulatePartition(components, { task, closeAt, signal });
    const reasons = new Map(simulation.faults.map(({ number, reason }) => [number, reason]));
    const end = { simulation, corrupt, proven: simulation.passed ? sectors.length : 0 };
    if (reasons.size === 0) return end;
    const faults = new Set(reasons.keys());
    const others = await withOtherCopies(components.checker, scope, { sectors, faults, tried, signal });
    // Minutes of a slave's work would not change the verdict.
    if (others.length < sectors.length) return end;
    for (const { number, sealedFile, cacheDir } of sectors) {
      const reason = reasons.get(number);
      if (reason !== undefined) corrupt.push({ number, sealedFile, cacheDir, reason });
    }
    sectors = others;
  }
}

/** Never the challenge of the window itself: that task is the daemon's. */
function challengeEpoch({ head, deadline }: PartitionScope, text: unknown): number {
  if (text !== undefined) return wholeNumber(text, '--challenge');
  const epoch = Math.max(1, head.height - CHALLENGE_AGE_EPOCHS);
  return epoch === deadline.challenge ? epoch - 1 : epoch;
}

function skippedText(skipped: readonly { readonly number: number; readonly reason: string }[]): string | null {
  const [first] = skipped;
  if (first === undefined) return null;
  return `${skipped.length} sectors were left out, the first is ${first.number}: ${first.reason}`;
}

interface Report {
  readonly miner: string;
  readonly deadline: number;
  readonly partition: number;
  readonly challenge: number;
  readonly sectors: number;
  readonly proven: number;
  /** Not there before the proof. */
  readonly skipped: readonly { readonly number: number; readonly verdict: string; readonly reason: string }[];
  /** Copies that gave no proof, where another copy was proven in their place. */
  readonly corrupt: readonly CorruptCopy[];
  /** Of the slave. */
  readonly faults: readonly { readonly number: number; readonly reason: string }[];
  readonly passed: boolean;
  readonly reason: string | null;
  readonly task: string | null;
  readonly slave: string | null;
  readonly attempts: number;
  readonly snapshotMs: number;
  readonly checkMs: number;
  readonly proveMs: number | null;
  readonly workMs: number | null;
  readonly verifyMs: number | null;
  readonly totalMs: number;
  readonly gate: string;
}

function textOf(report: Report): string {
  const seconds = (ms: number | null) => (ms === null ? '-' : `${(ms / 1000).toFixed(1)} s`);
  const lines = [
    ['miner', report.miner],
    ['deadline', `${report.deadline}, partition ${report.partition}, challenge at epoch ${report.challenge}`],
    ['sectors', `${report.proven} of ${report.sectors} proven`],
    ...report.skipped.map((one) => ['left out', `sector ${one.number}: ${one.verdict}, ${one.reason}`]),
    ...report.corrupt.map((one) => [
      'copy',
      `sector ${one.number}: ${one.sealedFile} with ${one.cacheDir} gives no proof (${one.reason}); another copy was taken`,
    ]),
    ...report.faults.map((one) => ['fault', `sector ${one.number}: ${one.reason}`]),
    ['task', report.task === null ? '-' : `${report.task} (slave ${report.slave ?? '-'}, ${report.attempts} attempts)`],
    ['snapshot', seconds(report.snapshotMs)],
    ['check', seconds(report.checkMs)],
    ['prove', `${seconds(report.proveMs)} from submission, ${seconds(report.workMs)} of work`],
    ['verify', seconds(report.verifyMs)],
    ['total', seconds(report.totalMs)],
    ['gate', report.gate],
    ['verdict', report.passed ? 'passed' : `FAILED: ${report.reason}`],
  ];
  return lines.map(([label, value]) => `${String(label).padEnd(10)}${value}`).join('\n');
}
