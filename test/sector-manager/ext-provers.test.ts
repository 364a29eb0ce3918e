import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { loadManagerConfig } from '../../src/config/manager-file.ts';
import { proverBinary } from '../../src/ext-processor/prover-binary.ts';
import { findCluster } from '../../src/programs/sector-manager/cluster.ts';
import { poolChild, readExtProvers } from '../../src/programs/sector-manager/ext-provers.ts';
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

test('the compiled master of old is driven as a child, and that is said', async () => {
  const bin = join(home, 'wdpost-master-daemon');
  await copyFile(proverBinary(), bin);
  await write(OURS.replace('/opt/wdpost-master-daemon', bin));
  const { master, warnings, file } = await readExtProvers(home);
  expect(master).toBeUndefined();
  expect(warnings).toEqual([
    expect.stringContaining(`${file}: [[WdPost]] Bin ${bin} is not the master of this system`),
  ]);
  await writeFile(bin, '#!/bin/sh\nexec /usr/local/bin/wdpost-master-daemon "$@"\n');
  expect((await readExtProvers(home)).master?.file).toBe('/etc/master.toml');
});
