import { CodedError, errorText } from '../errors/coded-error.ts';

// Lotus has codes for few of its answers; the rest is told apart by text, as recorded from version 1.36.

const EXECUTION_REVERTED = 3;
const OUT_OF_GAS = 2;

/** The beginning of the error of a message that was too much for one block or for its gas. */
export const GAS_LIMIT = 'gas-limit: ';
const EXIT_OUT_OF_GAS = 7;
/** Of the virtual machine and of the built-in actors (go-state-types exitcode). */
const EXIT_MEANINGS: ReadonlyMap<number, string> = new Map([
  [6, 'insufficient funds'],
  [16, 'illegal argument'],
  [17, 'not found'],
  [18, 'forbidden: sender is not allowed to'],
  [19, 'insufficient funds'],
  [20, 'illegal state'],
]);

/** The chain would not execute this message: sending it again unchanged cannot help at this head. */
export function isExecutionFailure(error: unknown): boolean {
  const answer = nodeAnswer(error);
  if (answer === undefined) return false;
  return answer.rpcCode === EXECUTION_REVERTED || answer.rpcCode === OUT_OF_GAS || /\(RetCode=\d+\)/.test(answer.text);
}

/** The chain would not execute it within its limits of gas: less of it may do. */
export function isGasRefusal(error: unknown): boolean {
  const answer = nodeAnswer(error);
  return answer !== undefined && (answer.rpcCode === OUT_OF_GAS || /out of gas|gas limit/i.test(answer.text));
}

/** The sender cannot pay for it. */
export function isShortOfFunds(error: unknown): boolean {
  return /not enough funds|insufficient|\(RetCode=6\)/i.test(nodeAnswer(error)?.text ?? '');
}

/** What went wrong on the chain. Gas is named first, since then a smaller message may do. */
export function exitText(exitCode: number): string {
  if (exitCode === EXIT_OUT_OF_GAS) return `${GAS_LIMIT}exit code ${exitCode} (out of gas)`;
  const meaning = EXIT_MEANINGS.get(exitCode);
  return meaning === undefined ? `exit code ${exitCode}` : `exit code ${exitCode} (${meaning})`;
}

/** A push of a nonce that the chain has passed. */
export function isNonceTooLow(error: unknown): boolean {
  return nodeAnswer(error)?.text.includes('nonce too low') ?? false;
}

/** A push of what the pool has already. */
export function isPooledAlready(error: unknown): boolean {
  const text = nodeAnswer(error)?.text;
  return text !== undefined && /already in mpool|already exists/.test(text) && !text.includes('GasPremium');
}

/** A search for a message that this node never saw, or whose nonce another message of the same sender has taken. */
export function isUnknownMessage(error: unknown): boolean {
  const text = nodeAnswer(error)?.text;
  return text !== undefined && /failed to load message|equal nonce/.test(text);
}

/** The text for people: the node's own words where there are any. */
export function nodeText(error: unknown): string {
  return nodeAnswer(error)?.text ?? errorText(error);
}

function nodeAnswer(error: unknown): { readonly rpcCode: unknown; readonly text: string } | undefined {
  if (!(error instanceof CodedError) || error.code !== 'chain-error') return undefined;
  return { rpcCode: error.data.rpcCode, text: String(error.data.nodeMessage) };
}
