import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { Result, Shape } from './check.ts';
import { addressShapes } from './check-addresses.ts';
import { cborParamsShapes } from './check-cbor-params.ts';
import { cidShapes } from './check-cids.ts';
import { deadlineShapes } from './check-deadlines.ts';
import { checkLotusRpc, isLotusRpcCase, type VectorFile } from './check-lotus-rpc.ts';
import { messageShapes } from './check-messages.ts';
import { randomnessShapes } from './check-randomness.ts';
import { rlePlusShapes } from './check-rleplus.ts';

const shapes: readonly Shape[] = [
  ...addressShapes,
  ...cborParamsShapes,
  ...cidShapes,
  ...deadlineShapes,
  ...messageShapes,
  ...randomnessShapes,
  ...rlePlusShapes,
];

type Json = Readonly<Record<string, unknown>>;

/** Checks all vector files below a directory; every vector gives one result. Markdown files are read by people only. */
export async function checkDirectory(directory: string): Promise<Result[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const results: Result[] = [];
  const exchanges: VectorFile[] = [];
  for (const path of paths) {
    const file = relative(directory, path);
    const json = await readJson(path);
    if (json === undefined) results.push(unknownFormat(file, basename(path), 'not a JSON object'));
    else if (isLotusRpcCase(json)) exchanges.push({ file, json });
    else results.push(...checkVectors(file, json));
  }
  return [...results, ...(await checkLotusRpc(exchanges))];
}

/** Checks the sections of one file; `meta` says where it comes from and holds no vectors. */
export function checkVectors(file: string, json: Json): Result[] {
  const results = Object.entries(json)
    .filter(([section]) => section !== 'meta')
    .flatMap(([section, content]) =>
      entriesOf(content).map((entry, index) => checkEntry(file, section, `${section}[${index}]`, entry, json)),
    );
  return results.length === 0 ? [unknownFormat(file, file, 'no vectors in it')] : results;
}

function checkEntry(file: string, section: string, at: string, entry: unknown, json: Json): Result {
  if (!isRecord(entry)) return unknownFormat(file, at, 'not an object');
  const name = typeof entry.name === 'string' ? `${at} ${entry.name}` : at;
  const shape = shapes.find(
    (candidate) => candidate.section === section && candidate.keys.every((key) => key in entry),
  );
  if (shape === undefined) return unknownFormat(file, name, 'no such vectors are known');
  try {
    shape.check(entry, json);
    return { file, name };
  } catch (error) {
    return { file, name, failure: oneLine(error instanceof Error ? error.message : String(error)) };
  }
}

/** A section is a list of vectors, or an object of named values. */
function entriesOf(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) return content;
  return isRecord(content) ? Object.entries(content).map(([name, value]) => ({ name, value })) : [content];
}

async function readJson(path: string): Promise<Json | undefined> {
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownFormat(file: string, name: string, why: string): Result {
  return { file, name, failure: `unknown format: ${why}` };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, '; ');
}
