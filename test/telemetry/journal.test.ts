import { pino } from 'pino';
import { expect, test } from 'vitest';
import { isJournal, withPriority } from '../../src/telemetry/journal.ts';

test('each line begins with the priority of its level', () => {
  const lines: string[] = [];
  const logger = pino(
    { level: 'trace', base: null, timestamp: false },
    withPriority({ write: (line) => lines.push(line) }),
  );
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const) logger[level]('said');
  logger.child({ of: 'child' }).warn('said');
  expect(lines.map((line) => line.slice(0, 4))).toEqual(['<2>{', '<3>{', '<4>{', '<6>{', '<7>{', '<7>{', '<4>{']);
  expect(lines[0]).toBe('<2>{"level":60,"msg":"said"}\n');
});

test('stderr that systemd did not open, or that was sent elsewhere, is no journal', () => {
  expect(isJournal({})).toBe(false);
  expect(isJournal({ JOURNAL_STREAM: '8:1' })).toBe(false);
});
