import { CodedError } from '../../../../errors/coded-error.ts';
import type { Written } from '../verb.ts';

/** Something on the command line is missing or wrong; ends the program with 2. */
export function usage(message: string): CodedError {
  return new CodedError('usage', message);
}

/** @throws CodedError `usage` unless it is a whole number */
export function wholeNumber(text: unknown, what: string): number {
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw usage(
    text === undefined ? `${what} is missing` : `${what} must be a whole number, not ${JSON.stringify(text)}`,
  );
}

/** The number of an option that must be there. */
export function numberOption(written: Written, name: string, flag: string): number {
  const text = written.options[name];
  if (text === undefined) throw usage(`${flag} is missing`);
  return wholeNumber(text, flag);
}

export function isSet(written: Written, name: string): boolean {
  return written.options[name] === true;
}

const DEADLINES = 48;

/** @throws CodedError `usage` unless it names one of the 48 deadlines */
export function deadlineIndex(text: unknown, what: string): number {
  const index = wholeNumber(text, what);
  if (index < DEADLINES) return index;
  throw usage(`${what} must be from 0 to ${DEADLINES - 1}, not ${index}`);
}
