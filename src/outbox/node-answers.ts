import { CodedError, errorText } from '../errors/coded-error.ts';

// Lotus has codes for few of its answers; the rest is told apart by text, as recorded from version 1.36.

const EXECUTION_REVERTED = 3;
const OUT_OF_GAS = 2;

/** The chain would not execute this message: sending it again unchanged cannot help at this head. */
export function isExecutionFailure(error: unknown): boolean {
  const answer = nodeAnswer(error);
  if (answer === undefined) return false;
  return answer.rpcCode === EXECUTION_REVERTED || answer.rpcCode === OUT_OF_GAS || /\(RetCode=\d+\)/.test(answer.text);
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
