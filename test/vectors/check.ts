import { bytesToHex, hexToBytes } from '@noble/curves/utils.js';
import { z } from 'zod';
import { CodedError } from '../../src/errors/coded-error.ts';

/** The outcome of one vector. */
export interface Result {
  readonly file: string;
  readonly name: string;
  /** One line; absent where the vector passed. */
  readonly failure?: string;
}

/** How the entries of one section of a vector file are told and checked. */
export interface Shape {
  readonly section: string;
  /** Fields that tell these entries from those of other formats with a section of this name. */
  readonly keys: readonly string[];
  /** Throws where the entry and the project disagree; `file` is the whole file that it stands in. */
  readonly check: (entry: unknown, file: Readonly<Record<string, unknown>>) => void;
}

/** `check` sees the entry only after it matched `schema`; a field that is not in the schema is a failure. */
export function shape<S extends z.ZodType>(
  section: string,
  keys: readonly string[],
  schema: S,
  check: (entry: z.output<S>, file: Readonly<Record<string, unknown>>) => void,
): Shape {
  return { section, keys, check: (entry, file) => check(parse(schema, entry), file) };
}

export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (!result.success) throw new Error(`unknown format: ${z.prettifyError(result.error)}`);
  return result.data;
}

/** Bytes written as hex. */
export const hex = z
  .string()
  .regex(/^([0-9a-f]{2})*$/)
  .transform((text): Uint8Array => hexToBytes(text));

/** A number, or a decimal string where it is above 2^53-1. */
export const integer = z.union([z.int(), z.string().regex(/^-?[0-9]+$/)]).transform(BigInt);

export function same(what: string, actual: unknown, expected: unknown): void {
  const [got, wanted] = [show(actual), show(expected)];
  if (got !== wanted) throw new Error(`${what} is ${shorten(got)}, expected ${shorten(wanted)}`);
}

/** The project must refuse it with an error of its own, not fall over it. */
export function refused(what: string, read: () => unknown): void {
  let result: unknown;
  try {
    result = read();
  } catch (error) {
    if (error instanceof CodedError) return;
    throw new Error(`${what} failed without a code: ${String(error)}`);
  }
  throw new Error(`${what} was read as ${shorten(show(result))}, expected an error`);
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `0x${bytesToHex(value)}`;
  if (typeof value === 'bigint' || typeof value === 'number') return value.toString();
  if (Array.isArray(value)) return `[${value.map(show).join()}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([name, field]) => `${name}:${show(field)}`).join()}}`;
  }
  return String(JSON.stringify(value));
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}… (${text.length} characters)` : text;
}
