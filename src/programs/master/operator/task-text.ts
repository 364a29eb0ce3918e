import { cutText, readableDistance, readableDuration, readableTime } from '../../../cli/readable.ts';
import { textTable } from '../../../cli/text-table.ts';
import type { AttemptReport, TaskReport, TaskSummary } from '../../../rpc/methods.ts';

const SHORT_ID = 12;
const ERROR_LENGTH = 60;

/** Enough of an id to name the task. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_ID);
}

export function taskList(tasks: readonly TaskSummary[], now: number): string {
  if (tasks.length === 0) return 'no tasks';
  const rows = tasks.map((task) => [
    shortId(task.id),
    task.state,
    miner(task.minerId),
    task.sectors ?? '-',
    readableTime(task.createdAt),
    duration(task, now),
    task.attempts,
    task.slave ?? '-',
    task.state === 'running' ? progress(task) : '-',
    task.closeAt === null ? '-' : readableDistance(task.closeAt, now),
    cutText(task.error ?? '', ERROR_LENGTH),
  ]);
  const headings = [
    'ID',
    'STATE',
    'MINER',
    'SECTORS',
    'CREATED',
    'TOOK',
    'TRIES',
    'SLAVE',
    'PROGRESS',
    'CLOSES',
    'ERROR',
  ];
  return textTable(headings, rows);
}

export function taskReport(task: TaskReport, now: number): string {
  const facts: [string, string][] = [
    ['id', task.id],
    ['state', task.archived ? `${task.state}, archived` : task.state],
    ['miner', miner(task.minerId)],
    ['proof type', task.proofType ?? '-'],
    ['sectors', String(task.sectors ?? '-')],
    ['created', readableTime(task.createdAt)],
    ['started', readableTime(task.startedAt)],
    ['finished', readableTime(task.finishedAt)],
    ['took', duration(task, now)],
    ['closes', task.closeAt === null ? '-' : `${readableTime(task.closeAt)}, ${readableDistance(task.closeAt, now)}`],
    ['failures', String(task.retryCount)],
    ['slave', task.slave ?? '-'],
    ['error', task.error ?? '-'],
  ];
  const faults = task.output?.faults ?? [];
  if (faults.length > 0) facts.push(['faults', faults.join(' ')]);
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return [...lines, '', attempts(task.history, now)].join('\n');
}

function attempts(history: readonly AttemptReport[], now: number): string {
  if (history.length === 0) return 'no attempt yet';
  const rows = history.map((attempt) => [
    attempt.attempt,
    attempt.slave,
    readableTime(attempt.startedAt),
    readableDuration((attempt.endedAt ?? now) - attempt.startedAt),
    attempt.endedAt === null ? progress(attempt) : (attempt.outcome ?? '-'),
    attempt.endedAt === null ? `heard of ${readableDistance(attempt.heartbeatAt, now)}` : (attempt.reason ?? ''),
  ]);
  return textTable(['ATTEMPT', 'SLAVE', 'STARTED', 'TOOK', 'OUTCOME', 'REASON'], rows);
}

/** Of running, or of waiting where it did not start. */
function duration(task: Pick<TaskSummary, 'createdAt' | 'startedAt' | 'finishedAt'>, now: number): string {
  return readableDuration((task.finishedAt ?? now) - (task.startedAt ?? task.createdAt));
}

function progress({ phase, done, total }: Pick<TaskSummary, 'phase' | 'done' | 'total'>): string {
  if (phase === null) return 'starting';
  if (total > 0) return `${phase} ${done}/${total}`;
  return phase;
}

function miner(id: number | null): string {
  return id === null ? '-' : `f0${id}`;
}
