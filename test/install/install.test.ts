import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unpackRelease } from '../release/unpacked.ts';

const run = promisify(execFile);

let root: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ root, remove } = await unpackRelease());
});
afterAll(() => remove());

const install = (...options: string[]) => run(join(root, 'bin/install'), options);
const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

test('a dry run says what would be done and does nothing', async () => {
  const prefix = join(root, 'dry');
  const { stdout } = await install('--prefix', prefix, '--dry-run', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ dryRun: true });
  expect(JSON.parse(stdout).steps).toContain(`write ${prefix}/etc/systemd/system/wdpost-slave@.service`);
  await expect(stat(prefix)).rejects.toThrow('ENOENT');
  await expect(install('--dry-run')).resolves.toMatchObject({
    stdout: expect.stringContaining('/usr/local/bin/sector-manager'),
  });
});

test('everything is put in place, again without touching the configuration, and taken away without it', {
  timeout: 120_000,
}, async () => {
  const prefix = join(root, 'host');
  const config = join(prefix, 'etc/wdpost');
  await install('--prefix', prefix);
  expect(await modeOf(config)).toBe('750');
  expect((await readdir(config)).sort()).toEqual([
    'ext-prover.cfg',
    'sector-manager.cfg',
    'slave.toml',
    'wdpost_master.toml',
  ]);
  for (const name of await readdir(config)) expect(await modeOf(join(config, name)), name).toBe('640');
  const unit = await readFile(join(prefix, 'etc/systemd/system/sector-manager.service'), 'utf8');
  expect(unit).toContain(`ReadWritePaths=${prefix}/var/lib/wdpost\n`);
  const { stdout } = await run(join(prefix, 'usr/local/bin/venus-sector-manager'), ['--version']);
  expect(stdout).toContain(JSON.parse(await readFile('package.json', 'utf8')).version);

  await writeFile(join(config, 'slave.toml'), '# mine');
  await writeFile(join(prefix, 'var/lib/wdpost/kept'), '');
  await install('--prefix', prefix);
  expect(await readFile(join(config, 'slave.toml'), 'utf8')).toBe('# mine');

  await writeFile(join(prefix, 'usr/local/bin/prover-tools.mine'), '');
  await install('--prefix', prefix, '--uninstall');
  expect(await readdir(join(prefix, 'usr/local/bin'))).toEqual(['prover-tools.mine']);
  expect(await readdir(join(prefix, 'usr/local/lib'))).toEqual([]);
  expect(await readdir(join(prefix, 'etc/systemd/system'))).toEqual([]);
  expect(await readFile(join(config, 'slave.toml'), 'utf8')).toBe('# mine');
  expect(await readdir(join(prefix, 'var/lib/wdpost'))).toEqual(['kept']);
  expect((await install('--prefix', prefix, '--uninstall')).stdout).toBe('nothing to do\n');
});

test('the units are what systemd understands, and name programs that are there', { timeout: 120_000 }, async () => {
  const prefix = join(root, 'units');
  await install('--prefix', prefix);
  const units = join(prefix, 'etc/systemd/system');
  const files = (await readdir(units)).map((name) => join(units, name));
  expect(files).toHaveLength(3);
  // It says what it does not understand and ends with 0 all the same.
  expect(await run('systemd-analyze', ['verify', '--man=no', ...files])).toEqual({ stdout: '', stderr: '' });
});

test('a command of somebody else is not removed', async () => {
  const prefix = join(root, 'shared');
  await mkdir(join(prefix, 'usr/local/bin'), { recursive: true });
  await writeFile(join(prefix, 'usr/local/bin/prover-tools'), '');
  await install('--prefix', prefix, '--uninstall');
  expect(await readdir(join(prefix, 'usr/local/bin'))).toEqual(['prover-tools']);
});

test.each([
  [['--prefix'], 2, '--prefix takes a directory'],
  [['--force'], 2, 'unknown option --force'],
  [['--prefix', '/tmp/a b'], 1, 'only letters, digits'],
])('%j is refused in a line', async (options, code, message) => {
  await expect(install(...options)).rejects.toMatchObject({
    code,
    stderr: expect.stringMatching(`^error: .*${message}.*\n$`),
  });
});

test.each([['--prefix='], ['--prefix', '']])(
  'a prefix that is empty does not stand for /: %j %j',
  async (...options) => {
    await expect(install(...options, '--dry-run')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--prefix is empty'),
    });
  },
);
