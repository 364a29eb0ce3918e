import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { decodeCbor, encodeCbor } from '../../src/filecoin/cbor.ts';
import { bitfield as codec } from '../../src/filecoin/codecs.ts';
import { hex, integer, refused, type Shape, same, shape } from './check.ts';

const fieldShape = {
  /** Run lengths, zeros first; `[0]` is the empty field; null where JSON cannot hold them, which `bitsText` does. */
  bits: z.array(z.int()).nullable(),
  bitsText: z
    .string()
    .regex(/^\[[0-9,]+\]$/)
    .optional(),
  rlePlusHex: hex,
  count: integer,
  first: integer.nullable(),
  last: integer.nullable(),
};
const fieldSchema = z.strictObject(fieldShape);
type FieldVector = z.output<typeof fieldSchema>;

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function checkField(field: Bitfield, vector: FieldVector): void {
  const runs = field.runLengths();
  const expected = expectedRuns(vector);
  same('run lengths', runs.length === 0 ? [0n] : runs, expected);
  same('RLE+', field.toRlePlus(), vector.rlePlusHex);
  same('equality with its run lengths', field.equals(Bitfield.fromRunLengths(expected)), true);

  const ones = runs.filter((_, index) => index % 2 === 1);
  const sum = (lengths: readonly bigint[]): bigint => lengths.reduce((total, length) => total + length, 0n);
  same('count from the runs', sum(ones), vector.count);
  same('first from the runs', runs[0] ?? null, vector.first);
  same('last from the runs', runs.length === 0 ? null : sum(runs) - 1n, vector.last);

  // What speaks of single positions as `number` must refuse what does not fit.
  checkNumber('count', () => field.count, vector.count);
  checkNumber('first', () => field.first ?? null, vector.first);
  checkNumber('last', () => field.last ?? null, vector.last);
  if (expected.some((run) => run > MAX_SAFE)) refused('JSON', () => field.toJsonRuns());
  else same('JSON', field.toJsonRuns(), expected);
}

function checkNumber(what: string, read: () => number | null, expected: bigint | null): void {
  if (expected !== null && expected > MAX_SAFE) refused(what, read);
  else same(what, read(), expected);
}

function expectedRuns({ bits, bitsText }: FieldVector): bigint[] {
  if (bits !== null) return bits.map(BigInt);
  return (bitsText ?? '').match(/[0-9]+/g)?.map(BigInt) ?? [];
}

function readField(vector: FieldVector): Bitfield {
  const field = Bitfield.fromRlePlus(vector.rlePlusHex);
  checkField(field, vector);
  return field;
}

const named = { name: z.string() };
const invalid = { ...named, hex, stage: z.enum(['open', 'read']), error: z.string() };

const operation = z.strictObject({
  ...named,
  op: z.enum(['union', 'intersect', 'subtract', 'unionAll', 'slice']),
  inputs: z.array(fieldSchema),
  start: z.int().optional(),
  length: z.int().optional(),
  result: fieldSchema,
});

function apply(vector: z.output<typeof operation>): Bitfield {
  const [first = Bitfield.empty, ...others] = vector.inputs.map(readField);
  const [second = Bitfield.empty] = others;
  switch (vector.op) {
    case 'union':
    case 'unionAll':
      return first.union(...others);
    case 'intersect':
      return first.intersection(second);
    case 'subtract':
      return first.subtract(second);
    case 'slice':
      return first.slice(vector.start ?? 0, vector.length ?? 0);
  }
}

export const rlePlusShapes: readonly Shape[] = [
  shape('vectors', ['rlePlusHex'], z.strictObject({ ...named, ...fieldShape, cborHex: hex }), (vector) => {
    checkField(Bitfield.fromRunLengths(expectedRuns(vector)), vector);
    const field = readField(vector);
    same('CBOR', encodeCbor(codec, field), vector.cborHex);
    same('run lengths from CBOR', decodeCbor(codec, vector.cborHex).runLengths(), field.runLengths());
  }),
  shape('operations', ['op'], operation, (vector) => checkField(apply(vector), vector.result)),
  shape('invalid', ['hex', 'stage'], z.strictObject(invalid), (vector) => {
    refused('RLE+', () => Bitfield.fromRlePlus(vector.hex).runLengths());
  }),
  // Strict in what is read too: only the canonical encoding, which `rlePlusHex` and `canonicalHex` hold.
  shape(
    'nonCanonical',
    ['canonicalHex'],
    z.strictObject({ ...named, hex, ...fieldShape, canonicalHex: hex }),
    (vector) => {
      refused('non-canonical RLE+', () => Bitfield.fromRlePlus(vector.hex).runLengths());
      same('canonical RLE+', readField(vector).toRlePlus(), vector.canonicalHex);
    },
  ),
  shape('acceptedJson', ['text'], z.strictObject({ text: z.string(), ...fieldShape }), (vector) => {
    checkField(Bitfield.fromJsonRuns(JSON.parse(vector.text)), vector);
  }),
  shape('invalidJson', ['text'], z.strictObject({ text: z.string(), error: z.string() }), (vector) => {
    refused('JSON', () => Bitfield.fromJsonRuns(JSON.parse(vector.text)).runLengths());
  }),
  shape('invalidCbor', ['hex'], z.strictObject(invalid), (vector) => {
    refused('CBOR', () => decodeCbor(codec, vector.hex).runLengths());
  }),
  shape(
    'limits',
    ['evenBits'],
    z.strictObject({ evenBits: z.int(), encodedBytes: z.int(), encodedSha256: hex, cborError: z.string() }),
    (vector) => {
      const field = Bitfield.of(Array.from({ length: vector.evenBits }, (_, index) => 2 * index));
      const encoded = field.toRlePlus();
      same('encoded length', encoded.length, vector.encodedBytes);
      same('SHA-256 of the encoding', sha256(encoded), vector.encodedSha256);
      if (vector.cborError !== '') refused('CBOR', () => encodeCbor(codec, field));
      else same('field from CBOR', decodeCbor(codec, encodeCbor(codec, field)).equals(field), true);
    },
  ),
];
