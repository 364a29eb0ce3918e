import { CodedError } from '../errors/coded-error.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type LogLevel = (typeof LEVELS)[number];

const OTHER_NAMES: Readonly<Record<string, LogLevel>> = { off: 'silent', warning: 'warn' };

/**
 * LOG_LEVEL is one level. RUST_LOG is what the units of the replaced system set: `info`, or directives such as
 * `wdpost=debug,hyper=warn,info`, of which a target of ours counts before the plain level. The prover gets RUST_LOG, too.
 * @throws CodedError `bad-log-level`
 */
export function logLevel(program: string, env: NodeJS.ProcessEnv): LogLevel {
  if (env.LOG_LEVEL) return readLevel('LOG_LEVEL', env.LOG_LEVEL);
  // What follows a slash filters messages by a pattern.
  const [text = ''] = (env.RUST_LOG ?? '').split('/');
  let general: LogLevel = 'info';
  let own: LogLevel | undefined;
  for (const directive of text.split(',').map((word) => word.trim())) {
    if (directive === '') continue;
    const [target = '', level] = directive.split('=');
    if (level !== undefined) {
      const read = readLevel('RUST_LOG', level.trim());
      if (isOurs(program, target.trim())) own = read;
    } else if (isOurs(program, target)) own = 'trace';
    else if (!isModule(target)) general = readLevel('RUST_LOG', target);
  }
  return own ?? general;
}

function readLevel(variable: string, text: string): LogLevel {
  const word = text.toLowerCase();
  const level = LEVELS.find((candidate) => candidate === word) ?? OTHER_NAMES[word];
  if (level !== undefined) return level;
  const more = variable === 'RUST_LOG' ? ', or a list of them as `wdpost=debug,info`' : '';
  throw new CodedError(
    'bad-log-level',
    `${variable}: ${JSON.stringify(text)} is no log level; write one of ${LEVELS.join(', ')}, off${more}`,
  );
}

/** `wdpost`, the program's name as it is or as Rust writes it, or a part of it: `wdpost_slave_daemon`. */
function isOurs(program: string, target: string): boolean {
  const name = target.replaceAll('_', '-');
  return name === 'wdpost' || name === program || name === `${program}-daemon` || name === `venus-${program}`;
}

/** A target without a level. One that looks like a misspelt level is not taken for it. */
function isModule(word: string): boolean {
  return word.includes('_') || word.includes('::');
}
