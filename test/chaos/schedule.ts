import { Random } from './random.ts';

/** What is done to whom; undone after a while, where there is something to undo. */
export type FaultKind =
  | 'slave killed'
  | 'slave ended'
  | 'slave stopped'
  | 'slave cut off'
  | 'slave half-open'
  | 'prover killed'
  | 'prover stopped'
  | 'master killed'
  | 'master ended'
  | 'master stopped'
  | 'masters killed'
  | 'database killed'
  | 'database stopped'
  | 'database cut off'
  | 'database half-open'
  | 'submitter killed'
  | 'submitter half-open'
  | 'task cancelled'
  | 'slave drained';

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Which slave, master or task, counted from 0; modulo how many there are. */
  readonly target: number;
  /** Milliseconds after the schedule's start, and how long it lasts. */
  readonly atMs: number;
  readonly forMs: number;
}

export interface PlannedTask {
  readonly minerId: number;
  /** What the prover does with it: see prover.mjs. */
  readonly steps: readonly string[];
  readonly submitAtMs: number;
  /** After its submission; null: none. */
  readonly closeAfterMs: number | null;
}

export interface Schedule {
  readonly seed: number;
  readonly tasks: readonly PlannedTask[];
  readonly faults: readonly PlannedFault[];
}

/** The work goes on for so long, and the faults begin in it. */
const SPAN_MS = 3_000;
/** Of the masters' heartbeat_timeout, 1 s: a stop of two leases. */
const TWO_LEASES_MS = 2_200;
/** A stopped leader that is replaced, and then goes on: rare, since a schedule with it takes long. */
const REPLACED_MS = 8_000;

const kinds: readonly [FaultKind, ...FaultKind[]] = [
  'slave killed',
  'slave killed',
  'slave ended',
  'slave stopped',
  'slave cut off',
  'slave half-open',
  'prover killed',
  'prover stopped',
  'master killed',
  'master killed',
  'master ended',
  'master stopped',
  'masters killed',
  'database killed',
  'database stopped',
  'database cut off',
  'database half-open',
  'submitter killed',
  'submitter half-open',
  'task cancelled',
  'slave drained',
];

/** The same for the same seed: some thirty tasks on four slots, three to six faults among them. */
export function planSchedule(seed: number): Schedule {
  const random = new Random(seed);
  const tasks = Array.from({ length: random.between(24, 32) }, () => planTask(random));
  const faults = Array.from({ length: random.between(3, 6) }, () => planFault(random));
  return { seed, tasks, faults: faults.filter(isFirstOfDatabase).toSorted((a, b) => a.atMs - b.atMs) };
}

/** A server that is killed while it is started is another story. */
function isFirstOfDatabase(fault: PlannedFault, index: number, faults: readonly PlannedFault[]): boolean {
  const isOfDatabase = ({ kind }: PlannedFault) => kind.startsWith('database');
  return !isOfDatabase(fault) || faults.findIndex(isOfDatabase) === index;
}

function planTask(random: Random): PlannedTask {
  const proof = String(random.between(20, 300));
  const submitAtMs = random.between(0, SPAN_MS);
  const task = { minerId: 1000 + random.between(0, 2), submitAtMs, closeAfterMs: null };
  const dice = random.next();
  if (dice < 0.03) return { ...task, steps: ['fail', proof] };
  if (dice < 0.05) return { ...task, steps: ['hang', proof] };
  if (dice < 0.1) return { ...task, steps: [String(random.between(1_000, 2_500))] };
  // Too slow for its Close; one that may just make it; one with all the time it needs.
  if (dice < 0.15) return { ...task, steps: ['20000'], closeAfterMs: random.between(800, 2_000) };
  if (dice < 0.2) return { ...task, steps: [proof], closeAfterMs: random.between(200, 800) };
  if (dice < 0.4) return { ...task, steps: [proof], closeAfterMs: 120_000 };
  return { ...task, steps: [proof] };
}

function planFault(random: Random): PlannedFault {
  const kind = random.pick(kinds);
  const fault = { kind, target: random.between(0, 31), atMs: random.between(200, SPAN_MS) };
  if (kind === 'master stopped' && random.chance(0.2)) return { ...fault, forMs: REPLACED_MS };
  const lasts = kind.endsWith('stopped') || kind.endsWith('half-open') ? TWO_LEASES_MS : random.between(100, 1_000);
  return { ...fault, forMs: lasts };
}
