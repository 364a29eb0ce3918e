import { fstatSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Of syslog, for pino's levels from this one down. */
const PRIORITIES = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
] as const;
const DEBUG = 7;

/** Whether stderr goes straight to systemd's journal, which tells its device and inode. */
export function isJournal(env: NodeJS.ProcessEnv): boolean {
  if (!env.JOURNAL_STREAM) return false;
  const { dev, ino } = fstatSync(2);
  return env.JOURNAL_STREAM === `${dev}:${ino}`;
}

/** Puts before each line the priority that the journal keeps beside it, so that `journalctl -p warning` finds what it should. */
export function withPriority(stream: DestinationStream): DestinationStream {
  return {
    // So pino sets lastLevel before each write.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write(line: string) {
      const [, priority = DEBUG] = PRIORITIES.find(([level]) => this.lastLevel >= level) ?? [];
      stream.write(`<${priority}>${line}`);
    },
  } as DestinationStream & { lastLevel: number };
}
