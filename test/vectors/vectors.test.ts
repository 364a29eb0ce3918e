import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkDirectory, checkVectors } from './check-files.ts';

const data = join(import.meta.dirname, 'data');

/** Sections with something to agree with; a changed input that must be refused mostly stays one. */
const sections = {
  'addresses.json': ['valid', 'lenient'],
  'cbor-params.json': ['vectors', 'minerMethods'],
  'challenges.json': ['windowV1_2', 'windowV1'],
  'cids.json': ['valid', 'zeroSectors', 'invalid'],
  'deadlines.json': ['constants', 'postProofs', 'vectors', 'provingPeriodOffsets'],
  'messages.json': ['unsigned', 'secp256k1', 'bls', 'bigInts'],
  'randomness.json': ['tags', 'vectors'],
  'rleplus.json': ['vectors', 'operations', 'nonCanonical', 'acceptedJson', 'limits'],
};

/** Words about a vector, and inputs that are refused or read leniently, changed or not. */
const UNCHECKED = new Set(['name', 'hex', 'text']);

test('every golden vector holds', async () => {
  const results = await checkDirectory(data);
  expect(results.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(results.length).toBeGreaterThan(1800);
});

test.each(Object.entries(sections))('in %s a change to any field is noticed', async (file, names) => {
  const json: Record<string, unknown> = JSON.parse(await readFile(join(data, file), 'utf8'));
  const overlooked: string[] = [];
  for (const section of names) {
    for (const [at, changed] of changes(json[section])) {
      const results = checkVectors(file, { policies: json.policies ?? [], [section]: changed });
      if (results.every(({ failure }) => failure === undefined)) overlooked.push(`${section}.${at}`);
    }
  }
  expect(overlooked).toEqual([]);
});

test('an unknown section, field, operation or file is a failure', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'vectors-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const field = { bits: [0, 1], rlePlusHex: '0c', count: 1, first: 0, last: 0 };
  const files = {
    'section.json': { valid: [{ thing: 1 }] },
    'field.json': { vectors: [{ name: 'bit 0', ...field, cborHex: '410c', more: 1 }] },
    'operation.json': { operations: [{ name: 'x', op: 'complement', inputs: [field], result: field }] },
    'nothing.json': { meta: {} },
    'list.json': [],
    'exchange.json': { case: 'x', request: {}, response: {}, extra: 1 },
  };
  for (const [name, json] of Object.entries(files)) await writeFile(join(directory, name), JSON.stringify(json));
  await writeFile(join(directory, 'notes.txt'), 'text');
  await writeFile(join(directory, 'README.md'), 'for people');

  const results = await checkDirectory(directory);

  expect(results.map(({ file }) => file).sort()).toEqual([...Object.keys(files), 'notes.txt'].sort());
  for (const { failure } of results) expect(failure).toMatch(/^unknown format|unknown format/);
});

/** For the last entries of a section, the fullest ones: the section with that entry alone, one value changed. */
function* changes(section: unknown): Generator<[string, unknown]> {
  if (!Array.isArray(section)) {
    const [first] = Object.entries(section ?? {});
    if (first !== undefined) yield [first[0], { [first[0]]: changedValue(first[1]) }];
    return;
  }
  for (const [index, entry] of section.slice(-2).entries()) {
    for (const [path, changed] of changedCopies(entry)) yield [`${index}${path}`, [changed]];
  }
}

function* changedCopies(value: unknown): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) {
    if (value !== null) yield ['', changedValue(value)];
    return;
  }
  for (const [name, part] of Object.entries(value)) {
    if (UNCHECKED.has(name) || (typeof part === 'string' && /Error$/.test(name))) continue;
    for (const [path, changed] of changedCopies(part)) {
      const copy: unknown = structuredClone(value);
      Reflect.set(Object(copy), name, changed);
      yield [`.${name}${path}`, copy];
    }
  }
}

function changedValue(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  const text = String(value);
  if (text === '') return '01';
  return text.replace(/[0-9a-z](?=[^0-9a-z]*$)/i, (letter) => (letter === '1' ? '2' : '1'));
}
