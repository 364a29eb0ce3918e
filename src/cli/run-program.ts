import { errorCode, errorText } from '../errors/coded-error.ts';

/**
 * Runs a program's main function. An error that reaches it ends the program with one line for people and exit code 1: by then
 * there is nothing left that would heal by itself.
 */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  // `… | head` has read what it wanted.
  process.stdout.on('error', (error) => process.exit(errorCode(error) === 'EPIPE' ? 0 : 1));
  try {
    await main();
  } catch (error) {
    process.stderr.write(`error: ${errorText(error)}\n`);
    process.exitCode = 1;
  }
}
