import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { CodedError, errorText } from '../errors/coded-error.ts';
import { isJournal, withPriority } from './journal.ts';
import { logLevel } from './log-level.ts';

export type { Logger };

/** Our own errors say what is wrong and what to do; a stack is for bugs. The driver's errors hold statements, and with them task bodies. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof CodedError)) {
    const { sql: _, ...described } = pino.stdSerializers.err(error instanceof Error ? error : new Error(String(error)));
    return described;
  }
  return { code: error.code, message: errorText(error) };
}

/**
 * Lines are written together, after a tenth of a second at most: a write for each costs a busy master much, and a
 * reader of our stderr that stands still must not stop us. What it does not read beyond this many bytes is dropped.
 */
const TOGETHER = { sync: false, minLength: 4096, periodicFlush: 100, maxLength: 16 * 2 ** 20 };

/**
 * On stderr, since stdout belongs to the ext-processor protocol and to command output. LOG_FORMAT chooses JSON lines or readable
 * ones, which are the default on a terminal.
 * @throws CodedError `bad-log-level`, `bad-log-format`
 */
export function createLogger(name: string, env: NodeJS.ProcessEnv = process.env): Logger {
  const format = logFormat(env);
  return pino(
    {
      name,
      level: logLevel(name, env),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    format === 'pretty'
      ? pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY, ignore: 'pid,hostname,name' })
      : toStderr(env),
  );
}

function toStderr(env: NodeJS.ProcessEnv): DestinationStream {
  const stream = pino.destination({ fd: 2, ...TOGETHER });
  return isJournal(env) ? withPriority(stream) : stream;
}

function logFormat(env: NodeJS.ProcessEnv): 'json' | 'pretty' {
  const { LOG_FORMAT: wanted } = env;
  if (!wanted) return process.stderr.isTTY ? 'pretty' : 'json';
  if (wanted === 'json' || wanted === 'pretty') return wanted;
  throw new CodedError('bad-log-format', `LOG_FORMAT: write json or pretty, not ${JSON.stringify(wanted)}`);
}
