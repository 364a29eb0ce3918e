import type { Effect } from './effects.ts';
import type { AttemptFact, Facts, TaskFact, WantedTask } from './facts.ts';
import { proofName } from './names.ts';
import { ROUNDING_MS, type Run, runsOf } from './runs.ts';
import { Weather } from './weather.ts';

/** Whatever has to be dropped is, within this time, where nothing keeps its slave from hearing of it. */
const CANCEL_LIMIT_MS = 2_000;
/** Competitors included. */
const MOST_LIVE_ATTEMPTS = 2;

/** What of a schedule breaks a promise, a line each. */
export function judge(facts: Facts): string[] {
  const weather = new Weather(facts);
  const rows = new Map(facts.tasks.map((task) => [task.work, task]));
  const runs = runsOf(facts);
  return [
    ...facts.wanted.flatMap((wanted) => {
      const attempts = facts.attempts.filter(({ work }) => work === wanted.work);
      const effects = facts.effects.filter(({ work }) => work === wanted.work);
      const row = rows.get(wanted.work);
      const problems = [
        ...judgeEnd(wanted, row, effects, facts),
        ...judgeProof(row, attempts, facts, runs),
        ...judgeAttempts(row, attempts),
        ...(attempts.length > mostAttempts(wanted, facts) ? [`${attempts.length} attempts`] : []),
      ];
      return problems.map((problem) => `task ${wanted.work}: ${problem}`);
    }),
    ...facts.rewrites.map(({ work, what }) => `task ${work}: STALE: ${what}`),
    ...runs.flatMap((run) =>
      judgeRun(run, weather).map((problem) => `run ${run.run} of task ${run.work} on ${run.who}: ${problem}`),
    ),
  ];
}

/** Lost: not proven, although nobody gave it up; or proven, and its submitter was told something else. */
function judgeEnd(wanted: WantedTask, row: TaskFact | undefined, effects: readonly Effect[], facts: Facts): string[] {
  const answers = effects.filter(({ what }) => what === 'answer');
  if (row === undefined) return ['LOST: it is not in the database'];
  if (!row.isFinished) return ['LOST: it never finished'];
  if (row.proof === null) {
    const mayEnd =
      wanted.closeAt !== null ||
      facts.faults.some(({ kind, target }) => kind === 'task cancelled' && target === wanted.work);
    if (!mayEnd || !row.error?.startsWith('cancelled')) return [`LOST: it ended with ${row.error}`];
    return answers.some(({ state }) => state === 'proven') ? ['LOST: its submitter was told that it is proven'] : [];
  }
  if (answers.length === 0) return ['LOST: its submitter was never answered'];
  const stored = proofName(row.proof);
  return answers
    .filter(({ state, proof }) => state === 'proven' && proof !== stored)
    .map(({ proof }) => `STALE: its submitter was told of proof ${proof}, ${stored} is stored`);
}

/** What is stored was made under the attempt that is said to have proven it, and was verified before. */
function judgeProof(
  row: TaskFact | undefined,
  attempts: readonly AttemptFact[],
  facts: Facts,
  runs: readonly Run[],
): string[] {
  const proven = attempts.filter(({ outcome }) => outcome === 'proven');
  if (row === undefined || row.proof === null) {
    return proven.length === 0 ? [] : ['LOST: an attempt proved it, and no proof is stored'];
  }
  const [attempt, ...others] = proven;
  if (attempt === undefined) return ['STALE: a proof is stored, and no attempt proved it'];
  const name = proofName(row.proof);
  const made = facts.effects.find(({ what, proof }) => what === 'proof' && proof === name);
  const verified = facts.effects.some(
    ({ what, proof, valid }) => what === 'verdict' && proof === name && valid === true,
  );
  const run = runs.find((candidate) => candidate.run === made?.run);
  return [
    ...(others.length > 0 ? [`STALE: ${proven.length} attempts are said to have proven it`] : []),
    ...(verified ? [] : ['STALE: the stored proof was never verified']),
    ...(made === undefined || run === undefined ? ['STALE: no prover made the stored proof'] : []),
    ...(run !== undefined && run.attempt !== attempt
      ? [`STALE: the stored proof is of attempt ${run.attempt?.attempt}, stored for attempt ${attempt.attempt}`]
      : []),
  ];
}

function judgeAttempts(row: TaskFact | undefined, attempts: readonly AttemptFact[]): string[] {
  const problems: string[] = [];
  const success = attempts.find(({ outcome }) => outcome === 'proven')?.endedAt ?? Number.POSITIVE_INFINITY;
  for (const [index, attempt] of attempts.entries()) {
    const { startedAt, endedAt } = attempt;
    const before = attempts[index - 1];
    if (attempt.attempt !== index + 1) problems.push(`attempt ${attempt.attempt} follows ${before?.attempt ?? 0}`);
    if (before !== undefined && startedAt < before.startedAt - ROUNDING_MS)
      problems.push(`attempt ${attempt.attempt} is older than the one before`);
    if (startedAt > success + ROUNDING_MS)
      problems.push(`TWICE: attempt ${attempt.attempt} was leased ${ms(startedAt - success)} after success`);
    if (endedAt === null && row?.isFinished) problems.push(`attempt ${attempt.attempt} lives on after the end`);
    const live = attempts.filter(
      (other) => other.startedAt <= startedAt && (other.endedAt ?? Number.POSITIVE_INFINITY) > startedAt + ROUNDING_MS,
    );
    if (live.length > MOST_LIVE_ATTEMPTS) problems.push(`${live.length} attempts live at once`);
  }
  if (row !== undefined && row.lastAttempt !== attempts.length)
    problems.push(`its last attempt is ${row.lastAttempt}, rows end with ${attempts.length}`);
  return problems;
}

/** A proof that goes on when it should not: its lease has ended (a result, Close, an order), and it could have heard of that. */
function judgeRun(run: Run, weather: Weather): string[] {
  const { attempt, who, startedAt, lastSeenAt } = run;
  if (attempt === undefined) return ['it had no lease'];
  const { endedAt } = attempt;
  if (endedAt === null) return [];
  const calm = weather.calmFor(who, endedAt, CANCEL_LIMIT_MS);
  const limit = calm + weather.longestSilence(endedAt, calm);
  if (startedAt > limit)
    return [`TWICE: started ${ms(startedAt - endedAt)} after its lease ended (${attempt.outcome})`];
  if (lastSeenAt > limit)
    return [`still at work ${ms(lastSeenAt - endedAt)} after its lease ended (${attempt.outcome})`];
  return [];
}

/** Each step that fails, each fault of a slave or prover, and some for leases that met with a bad moment. */
function mostAttempts(wanted: WantedTask, facts: Facts): number {
  return 3 + wanted.steps.length + 2 * facts.faults.length;
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`;
}
