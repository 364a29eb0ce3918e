import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepareSubmission } from '../../src/queue/prepare-submission.ts';
import { scanCanonicalTask } from '../../src/queue/scan-canonical-task.ts';
import { canonicalTask, parseTask } from '../../src/queue/window-post-task.ts';
import { sampleTask } from './sample-task.ts';

const hash = fc.array(fc.nat(255), { minLength: 32, maxLength: 32 });
const root = fc.constantFrom('/mnt/a', '/mnt/b-2', '/mnt/a/cache/s-t01-1', 'relative', '/mnt/ü', '/mnt/"q');
const kind = fc.constantFrom('sealed', 'cache', 'update', 'other');
const path = fc.tuple(root, kind, fc.constantFrom('s-t01000-', 's-t01001-', 's-t01000'), fc.nat(30));
const place = path.map(([above, folder, name, number]) => `${above}/${folder}/${name}${number}`);
const task = fc.record({
  miner_id: fc.oneof(fc.nat(), fc.maxSafeNat()),
  proof_type: fc.constantFrom('StackedDrgWindow2KiBV1_2', 'StackedDrgWindow32GiBV1'),
  replicas: fc.array(fc.record({ sector_id: fc.nat(99), comm_r: hash, cache_dir: place, sealed_file: place }), {
    minLength: 1,
    maxLength: 6,
  }),
  seed: hash,
});

test('a task and its canonical text are prepared alike', () => {
  fc.assert(
    fc.property(task, (value) => {
      const text = canonicalTask(parseTask(value));
      const prepared = prepareSubmission({ task: value, closeAt: 5 });
      expect(prepareSubmission({ task: text, closeAt: 5 })).toEqual(prepared);
      // Text that JSON.parse has to read.
      expect(prepareSubmission({ task: Buffer.from(JSON.stringify(value, null, 1)), closeAt: 5 })).toEqual(prepared);
    }),
  );
});

test('a second replica of a sector is left out, its folder too', () => {
  const plain = sampleTask(7, 1);
  const [replica] = plain.replicas;
  const moved = { ...replica, cache_dir: '/old/cache/s-t01001-7', sealed_file: '/old/sealed/s-t01001-7' };
  const task = { ...plain, replicas: [replica, moved] };
  expect(prepareSubmission({ task, closeAt: 5 })).toEqual(prepareSubmission({ task: plain, closeAt: 5 }));
});

test('the plain case is read without parsing', () => {
  expect(scanCanonicalTask(canonicalTask(sampleTask(7, 3)))).toEqual({
    minerId: 1001,
    proofType: 'StackedDrgWindow2KiBV1_2',
    sectorCount: 3,
    roots: new Set(['/store']),
  });
});

test('no other text is taken for a canonical one', () => {
  const text = canonicalTask(sampleTask(1, 3));
  const byte = fc.oneof(fc.constantFrom(...Buffer.from('[]{},:"\\0123456789-+.e \n')), fc.nat(255));
  const edit = fc.record({ at: fc.nat(text.length - 1), bytes: fc.array(byte, { maxLength: 3 }), removed: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
      let edited = text;
      for (const { at, bytes, removed } of edits) {
        edited = Buffer.concat([edited.subarray(0, at), Buffer.from(bytes), edited.subarray(at + removed)]);
      }
      if (scanCanonicalTask(edited) === undefined) return;
      // Its proof type may be none: whoever asked looks.
      const value = JSON.parse(edited.toString()) as object;
      const read = canonicalTask(parseTask({ ...value, proof_type: 'StackedDrgWindow2KiBV1_2' }));
      const typed = edited.toString().replace(/"proof_type":"[^"]*"/, '"proof_type":"StackedDrgWindow2KiBV1_2"');
      expect(typed).toBe(read.toString());
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  ['a sector twice', (text: string) => text.replace('"sector_id":11', '"sector_id":10')],
  ['a number of three hundred', (text: string) => text.replace('[1,1', '[300,1')],
  ['a leading zero', (text: string) => text.replace('[1,1', '[01,1')],
  ['a masked seed bit', (text: string) => text.replace('7]}', '64]}')],
  ['a number beyond the safe ones', (text: string) => text.replace('"miner_id":1001', '"miner_id":9007199254740993')],
  ['an empty path', (text: string) => text.replace('/store/cache/s-t01000-0', '')],
  ['more behind the end', (text: string) => `${text} `],
  ['no sector', (text: string) => text.replace(/\[\{.*\}\]/, '[]')],
])('%s is not canonical', (_, edit) => {
  const text = canonicalTask(sampleTask(1)).toString();
  expect(edit(text)).not.toBe(text);
  expect(scanCanonicalTask(Buffer.from(edit(text)))).toBeUndefined();
});

test('a text that is no task is refused by its field', () => {
  const text = canonicalTask(sampleTask(1)).toString();
  const refused = (bad: string) => () => prepareSubmission({ task: Buffer.from(bad), closeAt: null });
  expect(refused('{')).toThrow(expect.objectContaining({ code: 'bad-task' }));
  expect(refused(text.replace('Window2KiBV1_2', 'Winning2KiBV1'))).toThrow(/proof_type: is no window PoSt proof type/);
  expect(refused(text.replace('[1,1', '[300,1'))).toThrow(/replicas\.1\.comm_r/);
});

test.each(['cache_dir', 'sealed_file'] as const)('a %s longer than any path is refused in every form', (field) => {
  const value = parseTask(sampleTask(1, 1));
  const withPath = (length: number) => ({
    ...value,
    replicas: value.replicas.map((replica) => ({ ...replica, [field]: '/'.repeat(length) })),
  });
  const longest = canonicalTask(withPath(4_096));
  expect(prepareSubmission({ task: withPath(4_096), closeAt: null }).id).toBe(
    prepareSubmission({ task: longest, closeAt: null }).id,
  );
  expect(scanCanonicalTask(longest)).toBeDefined();
  for (const task of [withPath(4_097), canonicalTask(withPath(4_097))]) {
    expect(() => prepareSubmission({ task, closeAt: null })).toThrow(
      expect.objectContaining({ code: 'bad-task', message: expect.stringContaining(`replicas.0.${field}`) }),
    );
  }
});
