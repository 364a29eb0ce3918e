import { CodedError, errorCode, errorText } from '../errors/coded-error.ts';
import { isJournal } from '../telemetry/journal.ts';

/**
 * Runs a program's main function. An error that reaches it ends the program with one line for people, and with exit code 1, or 2
 * for one with the code `usage`: by then there is nothing left that would heal by itself.
 * @param isJson the answer is a JSON document, so there is one for an error, too
 */
export async function runProgram(main: () => Promise<void>, { isJson = false } = {}): Promise<void> {
  // `… | head` has read what it wanted.
  process.stdout.on('error', (error) => process.exit(errorCode(error) === 'EPIPE' ? 0 : 1));
  try {
    await main();
  } catch (error) {
    if (isJson) process.stdout.write(errorDocument(error));
    process.stderr.write(errorLines(`error: ${errorText(error)}\n`));
    process.exitCode = errorCode(error) === 'usage' ? 2 : 1;
  }
}

/** As they go to stderr: the journal keeps a priority with each line. */
export function errorLines(text: string): string {
  return isJournal(process.env) ? text.replaceAll(/^(?=.)/gm, '<3>') : text;
}

/** What `--json` answers instead. */
export function errorDocument(error: unknown): string {
  const data = error instanceof CodedError ? error.data : {};
  const document = { error: { code: errorCode(error) ?? 'internal-error', message: errorText(error), ...data } };
  return `${JSON.stringify(document, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2)}\n`;
}
