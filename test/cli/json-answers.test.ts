import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

let empty: string;
beforeEach(async () => {
  empty = await mkdtemp(join(tmpdir(), 'json-answers-'));
  onTestFinished(() => rm(empty, { recursive: true }));
});

function run(program: string, ...args: string[]): Promise<{ code: unknown; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(`bin/${program}`, args, (error, out, stderr) => resolve({ code: error?.code ?? 0, out, error: stderr }));
  });
}

test.each([
  ['gen_cache_and_param_blst', ['wdpost-param', '--size', '32GiB', '--dir', '.'], 1, 'bad-parameters', ' lacks v28-'],
  ['sector-manager', ['--home', '.', 'util', 'chain', 'head'], 1, 'config-not-found', 'there is no '],
  ['sector-manager', ['util', 'message', 'wait', 'id', '--timeout', 'soon'], 2, 'usage', '--timeout'],
  ['wdpost-master-daemon', ['tasks', 'list', '--limit', '0', '--master', 'm:1'], 2, 'usage', '--limit is 0'],
  [
    'wdpost-master-daemon',
    ['tasks', 'list', '--master', 'm'],
    2,
    'usage',
    "--master is no address of a master; write 'h",
  ],
  ['sector-manager', ['--home', './file/below', 'daemon', 'init'], 1, 'cannot-write', 'ENOTDIR'],
])('%s %j --json says in its document what is wrong, and in a line', async (program, args, code, name, message) => {
  await writeFile(join(empty, 'file'), '');
  const answer = await run(program, ...args.map((word) => word.replace(/^\.(?=\/|$)/, empty)), '--json');
  expect(answer).toMatchObject({ code, error: expect.stringMatching(/^error: .*\n$/) });
  expect(JSON.parse(answer.out)).toMatchObject({ error: { code: name, message: expect.stringContaining(message) } });
});

test.each([
  ['sector-manager', ['util', 'config', 'check', '--bogus'], "unknown option '--bogus'"],
  ['sector-manager', ['util', 'message', 'search'], "missing required argument 'id'"],
  ['wdpost-master-daemon', ['tasks', 'show'], "missing required argument 'id'"],
  ['gen_cache_and_param_blst', ['wdpost-param', '--size', '3GiB'], "argument '3GiB' is invalid"],
])('%s %j --json: so does what the option parser refuses', async (program, args, message) => {
  const { code, out, error } = await run(program, ...args, '--json');
  expect(code).toBe(2);
  expect(error).toMatch(/^error: /);
  expect(JSON.parse(out)).toEqual({ error: { code: 'usage', message: expect.stringContaining(message) } });
});

test.each([
  ['sector-manager', ['daemon', 'run', '--poster', '--listn', 'x'], 2],
  ['sector-manager', ['daemon', 'run', '--poster', '--listen', 'x'], 2],
  ['wdpost-slave-daemon', [], 2],
])('%s %j: the journal hears that it is an error', async (program, args, code) => {
  const file = join(empty, 'journal');
  const journal = await open(file, 'w');
  const { dev, ino } = await journal.stat();
  const env = { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` };
  const child = spawn(`bin/${program}`, args, { stdio: ['ignore', 'ignore', journal.fd], env });
  const [ended] = await once(child, 'exit');
  await journal.close();
  expect(ended).toBe(code);
  expect(await readFile(file, 'utf8')).toMatch(/^<3>error: .*\n(<3>.*\n)*$/);
});

test('what is missing of the parameters is a list', async () => {
  const { out } = await run('gen_cache_and_param_blst', 'wdpost-param', '--size', '32GiB', '--dir', empty, '--json');
  expect(JSON.parse(out).error).toMatchObject({
    directory: empty,
    missing: [expect.stringMatching(/^v28-.*\.vk$/), expect.stringMatching(/^v28-.*\.params$/)],
  });
});

test('daemon init tells what it wrote and what it kept', async () => {
  const files = ['sector-manager.cfg', 'ext-prover.cfg'].map((name) => join(empty, name));
  const init = async () => JSON.parse((await run('sector-manager', '--home', empty, 'daemon', 'init', '--json')).out);
  expect(await init()).toEqual({ written: files, kept: [] });
  expect(await init()).toEqual({ written: [], kept: files });
  const { out } = await run('sector-manager', '--home', empty, 'daemon', 'init');
  expect(out).toContain(`${files[0]} is there already, and stays as it is\n`);
});
