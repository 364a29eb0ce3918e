import { beforeEach, expect, test } from 'vitest';
import { AlertBook } from '../../src/telemetry/alert-book.ts';
import type { Alert, AlertNotice, KeptAlert } from '../../src/telemetry/alerts.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { silentLogger } from '../support/silent-logger.ts';

const HOUR = 3_600_000;
const LATE: Alert = { class: 'partition-late', severity: 'warning', minerId: 1000, deadline: 5, text: 'late' };

let clock: ManualClock;
let metrics: Metrics;
let told: AlertNotice[];
let kept: Map<string, KeptAlert>;
let book: AlertBook;
const keep = (id: string, alert: KeptAlert | undefined) =>
  alert === undefined ? kept.delete(id) : kept.set(id, alert);

beforeEach(() => {
  clock = new ManualClock();
  kept = new Map();
  newBook();
});

/** As after a restart, or in another manager. */
function newBook(): void {
  metrics = new Metrics();
  const ours: AlertNotice[] = [];
  told = ours;
  book = new AlertBook(
    { clock, logger: silentLogger, metrics },
    { repeatMs: HOUR, tell: (notice) => ours.push(notice) },
  );
}

/** What was told since the last time, as `+id` or `-id`. */
function heard(): string[] {
  const notices = told.splice(0);
  for (const notice of notices) book.told(notice);
  return notices.map(({ id, resolved }) => (resolved === undefined ? `+${id}` : `-${id}`));
}

test('a condition is told once however often it is raised, again at the interval, and when it is over', () => {
  book.raise('late', LATE);
  book.raise('late', LATE);
  expect(heard()).toEqual(['+late']);
  clock.advance(HOUR - 1);
  expect(heard()).toEqual([]);
  clock.advance(1);
  expect(heard()).toEqual(['+late']);
  clock.advance(HOUR);
  expect(heard()).toEqual(['+late']);
  book.resolve('late');
  book.resolve('late');
  expect(heard()).toEqual(['-late']);
  clock.advance(3 * HOUR);
  expect(heard()).toEqual([]);
});

test('a notice says what, where, since when and until when', () => {
  const since = clock.now();
  book.raise('late', LATE);
  clock.advance(5_000);
  book.resolve('late');
  expect(told).toEqual([
    { id: 'late', since, ...LATE },
    { id: 'late', since, ...LATE, resolved: since + 5_000 },
  ]);
});

test('what gets worse is told at once, what only changes its words with the next repetition', () => {
  book.raise('late', LATE);
  heard();
  book.raise('late', { ...LATE, text: 'later' });
  expect(heard()).toEqual([]);
  book.raise('late', { ...LATE, severity: 'critical', text: 'too late' });
  expect(told).toMatchObject([{ id: 'late', severity: 'critical', text: 'too late' }]);
});

test('lasting alerts are counted by class', async () => {
  book.raise('a', LATE);
  book.raise('b', LATE);
  book.resolve('a');
  expect(await metrics.text()).toContain('wdpost_alerts{class="partition-late",severity="warning",miner="1000"} 1');
  book.resolve('b');
  expect(await metrics.text()).not.toContain('wdpost_alerts{');
});

test('after a restart what still holds goes on without being told anew, and what nobody raises again is closed', () => {
  book.speak([], keep);
  book.raise('holds', LATE);
  book.raise('over', LATE);
  book.raise('resolved', LATE);
  const { deadline: _, ...elsewhere } = LATE;
  book.raise('elsewhere', elsewhere);
  heard();
  const since = clock.now();
  clock.advance(HOUR / 2);
  newBook();
  book.speak([...kept.values()], keep);
  expect(heard()).toEqual([]);
  book.raise('holds', LATE);
  book.resolve('resolved');
  expect(heard()).toEqual(['-resolved']);
  clock.advance(HOUR / 2 - 1);
  expect(heard()).toEqual([]);
  clock.advance(1);
  expect(told).toMatchObject([{ id: 'holds', since }]);
  told.length = 0;
  book.resolve('holds');
  heard();
  clock.advance(HOUR / 2);
  expect(heard()).toEqual(['-elsewhere']);
  clock.advance(23 * HOUR + HOUR / 2);
  expect(heard()).toEqual([]);
  clock.advance(HOUR);
  expect(heard()).toEqual(['-over']);
  expect([...kept.keys()]).toEqual([]);
});

test('what was not told before the restart is told when it is raised again', () => {
  book.speak([], keep);
  book.raise('late', LATE);
  expect(kept.get('late')).toMatchObject({ toldAt: null });
  newBook();
  book.speak([...kept.values()], keep);
  expect(heard()).toEqual([]);
  book.raise('late', LATE);
  expect(heard()).toEqual(['+late']);
});

test('a manager that stands by tells nothing and keeps nothing, and says what holds when it leads', () => {
  book.beQuiet();
  book.raise('chain', LATE);
  book.raise('short', LATE);
  book.resolve('short');
  clock.advance(2 * HOUR);
  expect(heard()).toEqual([]);
  book.speak([], keep);
  expect(heard()).toEqual(['+chain']);
  expect([...kept.keys()]).toEqual(['chain']);
});

test('a reign that ends takes its alerts with it and closes none: another manager goes on with them', async () => {
  book.speak([], keep);
  const reign = book.scope();
  book.raise('chain', LATE);
  reign.raise('run', LATE);
  heard();
  book.beQuiet();
  reign.forget();
  expect(heard()).toEqual([]);
  expect([...kept.keys()]).toEqual(['chain', 'run']);
  expect(await metrics.text()).toContain('wdpost_alerts{class="partition-late",severity="warning",miner="1000"} 1');
  clock.advance(2 * HOUR);
  expect(heard()).toEqual([]);
});
