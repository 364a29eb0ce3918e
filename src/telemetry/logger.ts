import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { CodedError, errorText } from '../errors/coded-error.ts';

export type { Logger };

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** The seed's units set RUST_LOG; a directive list (`info,hyper=warn`) counts with its first plain level. */
function levelFromEnvironment(env: NodeJS.ProcessEnv): string {
  const wanted = (env.LOG_LEVEL ?? env.RUST_LOG ?? 'info').toLowerCase().split(',');
  return wanted.find((word) => LEVELS.includes(word)) ?? 'info';
}

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

/** On stderr, since stdout belongs to the ext-processor protocol and to command output: JSON lines, readable ones on a terminal. */
export function createLogger(name: string, env: NodeJS.ProcessEnv = process.env): Logger {
  return pino(
    {
      name,
      level: levelFromEnvironment(env),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    process.stderr.isTTY
      ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname,name' })
      : pino.destination({ fd: 2, ...TOGETHER }),
  );
}
