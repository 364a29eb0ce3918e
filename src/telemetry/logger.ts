import { type Logger, pino } from 'pino';

export type { Logger };

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** The seed's units set RUST_LOG; a directive list (`info,hyper=warn`) counts with its first plain level. */
function levelFromEnvironment(env: NodeJS.ProcessEnv): string {
  const wanted = (env.LOG_LEVEL ?? env.RUST_LOG ?? 'info').toLowerCase().split(',');
  return wanted.find((word) => LEVELS.includes(word)) ?? 'info';
}

/** JSON lines on stderr: stdout belongs to the ext-processor protocol and to command output. */
export function createLogger(name: string, env: NodeJS.ProcessEnv = process.env): Logger {
  return pino(
    {
      name,
      level: levelFromEnvironment(env),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
