import type { Verdict } from './simulate.ts';
import { storms } from './weather.ts';

/** @param seconds of CPU. What happened, by kind of fault: a partition counts for each storm that blew between its challenge and its close. */
export function summary(verdicts: readonly Verdict[], seconds: number): string {
  const outcomes = verdicts.flatMap((verdict) => verdict.outcomes);
  const total = (count: (verdict: Verdict) => number) => verdicts.reduce((sum, verdict) => sum + count(verdict), 0);
  const line = (name: string, of: typeof outcomes) => {
    const ended = (end: string) => of.filter((outcome) => outcome.end === end).length;
    const counts = [of.length, ended('proven'), ended('skipped some'), ended('lost')];
    return [name.padEnd(20), ...counts.map((count) => String(count).padStart(12))].join('');
  };
  const deadlines = total((verdict) => verdict.deadlines);
  const broken = verdicts.filter((verdict) => verdict.problems.length > 0);
  return [
    [
      'weather'.padEnd(20),
      ...['partitions', 'proven', 'some skipped', 'impossible'].map((name) => name.padStart(12)),
    ].join(''),
    ...storms.map((storm) =>
      line(
        storm,
        outcomes.filter((outcome) => outcome.storms.includes(storm)),
      ),
    ),
    line(
      'unreadable sectors',
      outcomes.filter((outcome) => outcome.hadUnreadable),
    ),
    line(
      'none of these',
      outcomes.filter((outcome) => outcome.storms.length === 0 && !outcome.hadUnreadable),
    ),
    line('all', outcomes),
    `${deadlines} deadlines of ${verdicts.length} miners, ${total((verdict) => verdict.messages)} pushes, ` +
      `${total((verdict) => verdict.kills)} kills, ${total((verdict) => verdict.reorganisations)} reorganisations ` +
      `in ${seconds.toFixed(1)} s of CPU: ${Math.round(deadlines / seconds)} deadlines a second`,
    broken.length === 0
      ? 'no partition was lost that could be proven'
      : `${broken.length} seeds fail: ${broken
          .map(({ seed }) => seed)
          .slice(0, 20)
          .join(', ')}`,
  ].join('\n');
}
