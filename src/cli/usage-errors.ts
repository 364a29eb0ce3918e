import type { Command } from 'commander';
import { CodedError } from '../errors/coded-error.ts';
import { errorDocument, errorLines } from './run-program.ts';

/**
 * What the option parser refuses ends the program as other errors do: with 2 and an error's lines, and with a JSON document where one
 * was asked for. Commands made of it afterwards do the same.
 */
export function endsOnWrongUsage(program: Command): Command {
  return program
    .configureOutput({ writeErr: (text) => process.stderr.write(errorLines(text)) })
    .showHelpAfterError('(add --help for the options)')
    .exitOverride((error) => {
      if (error.exitCode === 0) process.exit(0);
      const wrong = new CodedError('usage', error.message.replace(/^error: /, ''));
      if (process.argv.includes('--json')) process.stdout.write(errorDocument(wrong));
      process.exit(2);
    });
}
