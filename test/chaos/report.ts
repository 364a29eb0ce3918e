import type { Result } from './run-schedule.ts';

export function line({ seed, problems, tasks, attempts, starts, faults, seconds }: Result): string {
  const verdict = problems.length === 0 ? 'ok' : `${problems.length} PROBLEMS`;
  const counts = `${tasks} tasks, ${attempts} attempts, ${starts} starts, ${seconds.toFixed(1)} s`;
  return `seed ${seed}: ${verdict} (${counts}): ${faults.join(', ')}`;
}

/** What the schedules add up to, and how long each kind of fault was felt. */
export function table(results: readonly Result[]): string {
  const problems = results.flatMap((result) => result.problems);
  const count = (word: string) => problems.filter((problem) => problem.includes(word)).length;
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  const lines = [
    '',
    `schedules ${results.length}   tasks ${sum(({ tasks }) => tasks)}   attempts ${sum(({ attempts }) => attempts)}   faults ${sum(({ faults }) => faults.length)}`,
    `lost ${count('LOST')}   stale results accepted ${count('STALE')}   proven more than once after success ${count('TWICE')}   problems in all ${problems.length}`,
    '',
    row('fault', 'times', 'felt', 'lasted s', 'median s', 'max s'),
  ];
  const kinds = [...new Set(results.flatMap(({ faults }) => faults))].toSorted();
  for (const kind of kinds) {
    const times = results.flatMap(({ faults }) => faults).filter((other) => other === kind).length;
    const felt = results.flatMap(({ recoveries }) => recoveries.filter((recovery) => recovery.kind === kind));
    const seconds = felt.map((recovery) => recovery.seconds).toSorted((a, b) => a - b);
    const lasted = felt.map((recovery) => recovery.lasted).toSorted((a, b) => a - b);
    lines.push(row(kind, times, felt.length, middle(lasted), middle(seconds), seconds.at(-1)?.toFixed(2) ?? '-'));
  }
  return lines.join('\n');
}

function row(name: string, ...cells: readonly (string | number)[]): string {
  return name.padEnd(22) + cells.map((cell) => String(cell).padStart(10)).join('');
}

function middle(sorted: readonly number[]): string {
  return sorted[Math.floor(sorted.length / 2)]?.toFixed(2) ?? '-';
}
