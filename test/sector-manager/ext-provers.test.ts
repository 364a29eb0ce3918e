import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { loadManagerConfig } from '../../src/config/manager-file.ts';
import { proverBinary } from '../../src/ext-processor/prover-binary.ts';
import { ProverPool } from '../../src/ext-processor/prover-pool.ts';
import { findCluster } from '../../src/programs/sector-manager/cluster.ts';
import { poolChild, readExtProvers } from '../../src/programs/sector-manager/ext-provers.ts';
import { programPath } from '../../src/programs/sector-manager/program-path.ts';
import { silentLogger } from '../support/silent-logger.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ext-provers-'));
});
afterEach(() => rm(home, { recursive: true }));

const write = (text: string) => writeFile(join(home, 'ext-prover.cfg'), text);

const OURS = `[[WdPost]]\nBin = "/opt/wdpost-master-daemon"\nArgs = ["-c", "/etc/master.toml"]\nConcurrent = 50\n`;
const THEIRS = `[[WdPost]]\nBin = "/opt/damocles-worker"\nArgs = ["processor", "window_post"]\nWeight = 3\n`;

test.each([
  ['a master of ours', OURS, '/etc/master.toml'],
  ['the same one twice', OURS + OURS, '/etc/master.toml'],
  ['its other way to name the file', OURS.replace('"-c", "', '"-c='), '/etc/master.toml'],
  ['another program', THEIRS, undefined],
  ['both', OURS + THEIRS, undefined],
  ['another program with -c', OURS.replace('wdpost-master-daemon', 'prover'), undefined],
  ['no program named', '[[WdPost]]\nArgs = ["-c", "/etc/master.toml"]\n', undefined],
  ['nothing', '', undefined],
])('%s', async (_, text, file) => {
  await write(text);
  expect((await readExtProvers(home)).master?.file).toBe(file);
});

test('children are started as the file says; without Bin it is the prover of this installation', async () => {
  await write(`${THEIRS}[WdPost.Envs]\nRUST_LOG = "info"\n\n[[WdPost]]\nArgs = ["x"]\n`);
  const { provers, warnings, file } = await readExtProvers(home);
  const [theirs, own] = provers.map(poolChild);
  expect(theirs).toMatchObject({
    bin: '/opt/damocles-worker',
    args: ['processor', 'window_post'],
    concurrent: 1,
    weight: 3,
    readyTimeoutMs: 5_000,
    env: { PATH: process.env.PATH, RUST_LOG: 'info' },
  });
  expect(own).toMatchObject({ bin: proverBinary(), args: ['processor', 'window_post'], readyTimeoutMs: 600_000 });
  expect(warnings).toEqual([`${file}: [[WdPost]] Args is ignored where Bin is not set`]);
});

async function cluster(common: string) {
  const file = join(home, 'sector-manager.cfg');
  await writeFile(file, common);
  const { config } = await loadManagerConfig(file);
  const init = { home, confDir: home, config, extProver: true };
  return await findCluster({ clock: systemClock, logger: silentLogger }, init);
}

test('with no program at all --ext-prover is refused', async () => {
  await expect(cluster('')).rejects.toMatchObject({
    code: 'no-ext-prover',
    message: expect.stringMatching(/^no ext prover constructed: .*ext-prover\.cfg$/),
  });
});

test('children beside a named master are refused', async () => {
  await write(THEIRS);
  const named = '[Common.Cluster]\nDatabase = "mysql://root@localhost/x"\nMaster = "127.0.0.1:4698"\n';
  await expect(cluster(named)).rejects.toMatchObject({ code: 'two-provers' });
});

test('children need a database only, and no master', async () => {
  await write(THEIRS);
  const found = await cluster('[Common.Cluster]\nDatabase = "mysql://root@localhost/x"\n');
  expect(found).toMatchObject({ databaseUrls: ['mysql://root@localhost/x'], masters: [] });
  expect(found.children).toHaveLength(1);
});

const SAID = 'window_post processor ready';
/** A master that is not ours, as the line protocol has it: it answers what it is asked, and ends with its stdin. */
const FOREIGN = `#!${process.execPath}
process.stdout.write('${SAID}\\n');
process.stdin.on('data', (data) => {
  for (const line of data.toString().trim().split('\\n')) {
    process.stdout.write(JSON.stringify({ id: JSON.parse(line).id, err_msg: null, output: 'by lines' }) + '\\n');
  }
});
`;

test('a master of another system is driven by lines, whatever its name, and that is said', async () => {
  const bin = join(home, 'wdpost-master-daemon');
  await writeFile(bin, FOREIGN);
  await chmod(bin, 0o755);
  await write(OURS.replace('/opt/wdpost-master-daemon', bin));
  const { master, masterFile, warnings, file } = await readExtProvers(home);
  expect({ master, masterFile }).toEqual({ master: undefined, masterFile: '/etc/master.toml' });
  expect(warnings).toEqual([
    expect.stringContaining(`${file}: [[WdPost]] Bin ${bin} is not the master of this system`),
  ]);
  const { children = [] } = await cluster('[Common.Cluster]\nDatabase = "mysql://root@localhost/x"\n');
  const pool = new ProverPool(
    { clock: systemClock, logger: silentLogger },
    { stage: 'window_post', children: children.map((child) => ({ ...child, readyTimeoutMs: 30_000 })) },
  );
  onTestFinished(() => pool.close());
  await pool.start();
  const request = { signal: new AbortController().signal, closeAt: 0, accept: async (output: unknown) => output };
  await expect(pool.prove({}, request)).resolves.toBe('by lines');
});

test('ours is known through links, by PATH, and as another release', async () => {
  const master = async (bin: string, more = '') => {
    await write(OURS.replace('/opt/wdpost-master-daemon', bin) + more);
    return (await readExtProvers(home)).master?.file;
  };
  const ours = programPath('wdpost-master-daemon');
  const link = join(home, 'wdpost-master-daemon');
  await symlink(ours, link);
  expect(await master(ours)).toBe('/etc/master.toml');
  expect(await master(link)).toBe('/etc/master.toml');
  expect(await master('wdpost-master-daemon', `[WdPost.Envs]\nPATH = "/nowhere:${home}"\n`)).toBe('/etc/master.toml');
  const other = join(home, 'release');
  await mkdir(join(other, 'bin'), { recursive: true });
  await writeFile(join(other, 'bin', 'wdpost-master-daemon'), '');
  expect(await master(join(other, 'bin', 'wdpost-master-daemon'))).toBeUndefined();
  await writeFile(join(other, 'package.json'), '{"name":"wdpost-cluster"}');
  expect(await master(join(other, 'bin', 'wdpost-master-daemon'))).toBe('/etc/master.toml');
});
