import type { Command } from 'commander';

const EXIT_CODES = 'Exit codes: 0 done, 1 failed or not there (one line says why), 2 wrong usage.';

/** What `--help` of a daemon says below its options, before anything else. */
export const LOG_HELP =
  '\nIt logs to stderr: JSON lines, readable ones on a terminal (LOG_FORMAT=json or pretty chooses); RUST_LOG=debug says more.\n';

/** What `--help` of a program says below its options. */
export function programHelp(...examples: readonly string[]): string {
  return `\n${EXIT_CODES}\n${exampleHelp(...examples)}`;
}

export function exampleHelp(...examples: readonly string[]): string {
  return ['', 'Example:', ...examples.map((example) => `  ${example}`)].join('\n');
}

/**
 * What `--help` of a command says below its options.
 * @param verb `example`: what follows the command in its example; `usual`: what may follow in any
 */
export function commandHelp(
  command: Command,
  { example, usual }: { readonly example?: string; readonly usual?: string },
): string {
  return exampleHelp([commandPath(command), example, usual].filter((part) => part !== undefined).join(' '));
}

function commandPath(command: Command): string {
  const above = command.parent === null ? [] : [commandPath(command.parent)];
  return [...above, command.name()].join(' ');
}
