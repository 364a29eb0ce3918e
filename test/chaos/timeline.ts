import type { Facts } from './facts.ts';

/** What happened in a schedule, for whoever looks for the fault in it: seconds from its first effect. */
export function timeline(facts: Facts): string {
  const zero = facts.effects[0]?.at ?? 0;
  const events = [
    ...facts.faults.flatMap(({ kind, target, from, until }) => [
      { at: from, text: `FAULT ${kind}: ${target}` },
      { at: until, text: `undone ${kind}: ${target}` },
    ]),
    ...facts.attempts.flatMap(({ work, attempt, slave, startedAt, endedAt, outcome }) => [
      { at: startedAt, text: `${work} lease ${attempt} to ${slave}` },
      ...(endedAt === null ? [] : [{ at: endedAt, text: `${work} lease ${attempt} of ${slave} ended: ${outcome}` }]),
    ]),
    ...facts.effects
      .filter(({ what }) => what !== 'working' && what !== 'probe')
      .map(({ at, who, pid, what, work, run, step, proof, state, stage }) => ({
        at,
        text: [work, who, pid, what, stage, run, step, state, proof].filter((part) => part !== undefined).join(' '),
      })),
  ];
  return events
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, text }) => `${((at - zero) / 1000).toFixed(3).padStart(8)}  ${text}`)
    .join('\n');
}
