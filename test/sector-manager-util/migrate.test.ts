import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { MINER } from '../../src/programs/quickstart/scene.ts';
import { SectorIndex } from '../../src/stores/index/sector-index.ts';
import { useScene } from '../e2e/use-scene.ts';
import { createEmptySchema } from '../support/database.ts';
import { startOldDaemon } from '../support/old-daemon.ts';
import { makeSeedTables } from '../support/seed-tables.ts';

const program = fileURLToPath(new URL('../../bin/sector-manager', import.meta.url));
const world = useScene(3);

interface Report {
  readonly files: readonly { readonly name: string; readonly is: string }[];
  readonly warnings: readonly string[];
  readonly differences: readonly { readonly what: string }[];
  readonly stores: readonly object[];
  readonly imported: readonly object[];
}

function migrate(home: string, ...args: string[]): Promise<{ code: number; report: Report; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, ['--home', home, 'util', 'migrate', ...args, '--json'], (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, report: JSON.parse(out || '{}'), err }),
    );
  });
}

/** Of an old daemon: each sector is in the store called `elsewhere`, the last one in one that nobody configured here. */
async function oldIndex(): Promise<string> {
  const daemon = await startOldDaemon(({ kind, number, found }) =>
    found(kind !== 'normal' ? '' : number < 2 ? 'elsewhere' : 'forgotten'),
  );
  onTestFinished(() => daemon.close());
  return `http://${daemon.address}`;
}

test('a set-up is moved: files, stores, index, and what differs is said', async () => {
  const { scene, daemons } = world();
  const schema = await createEmptySchema();
  onTestFinished(() => schema.drop());
  await makeSeedTables(schema.db);
  const chain = new DevChain();
  const args = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
  daemons.start('chain', 'wdpost-devnet', args, (line) => chain.onLine(line));
  const { rpc, token } = await chain.listening;
  const [old, home] = [join(scene.home, 'old'), join(scene.home, 'new')];
  await mkdir(old);
  const cfg = `[Common.API]
Chain = "${rpc}"
Token = "${token}"
[Common.MongoKVStore]
Enable = true
DSN = "mongodb://user:hidden@127.0.0.1/"
[[Common.PersistStores]]
Name = "here"
Path = "${scene.store}"
[[Common.PersistStores]]
Name = "elsewhere"
Path = "${scene.home}/not-mounted"
[[Miners]]
Actor = ${MINER}
[Miners.PoSt]
MaxPartitionsPerPoStMessage = 5
`;
  await writeFile(join(old, 'sector-manager.cfg'), cfg);
  const oldBin = join(old, 'wdpost-master-daemon');
  await writeFile(oldBin, 'of old');
  const ext = `[[WdPost]]\nBin = "${oldBin}"\nArgs = ["-c", "${old}/wdpost_master.toml"]\n`;
  await writeFile(join(old, 'ext-prover.cfg'), ext);
  await writeFile(join(old, 'wdpost_master.toml'), `[db]\nurl = "${schema.url}"\n`);

  const dry = await migrate(home, '--from', old, '--import-index', 'http://127.0.0.1:1', '--dry-run');
  expect(dry.code, dry.err).toBe(0);
  expect(dry.report.stores).toEqual([
    { name: 'here', path: scene.store },
    { name: 'elsewhere', path: `${scene.home}/not-mounted` },
  ]);
  await expect(readFile(join(home, 'sector-manager.cfg'))).rejects.toMatchObject({ code: 'ENOENT' });

  const { code, report, err } = await migrate(home, '--from', old, '--import-index', await oldIndex());
  expect(code, err).toBe(1);
  expect(report.files).toEqual([
    { name: 'sector-manager.cfg', is: 'copied' },
    { name: 'ext-prover.cfg', is: 'copied' },
  ]);
  expect(await readFile(join(home, 'sector-manager.cfg'), 'utf8')).toBe(cfg);
  expect(report.stores).toEqual([
    { name: 'here', path: scene.store, ok: 3, leftOut: 0, trouble: null },
    { name: 'elsewhere', path: `${scene.home}/not-mounted`, ok: 0, leftOut: 0, trouble: expect.any(String) },
  ]);
  expect(report.imported).toEqual([{ minerId: MINER, sectors: 3, found: 3, unknownStores: { forgotten: 1 } }]);
  const said = JSON.stringify([report.differences, report.warnings]);
  for (const words of [
    'wdpost-master-daemon is not the master of this system',
    'MaxPartitionsPerPoStMessage is 5, the network takes 3',
    'no Sender',
    'what the old system left there stays',
    'slaves of other machines are turned away',
    'Common.MongoKVStore.Enable, Common.MongoKVStore.DSN',
  ]) {
    expect(said).toContain(words);
  }
  expect(said).not.toContain('hidden');

  const index = new SectorIndex({ db: schema.db });
  const located = await index.locate(MINER, [
    { number: 0, upgraded: false },
    { number: 2, upgraded: false },
  ]);
  expect(
    located
      .get(0)
      ?.map(({ store }) => store)
      .sort(),
  ).toEqual(['elsewhere', 'here']);
  expect(located.get(2)?.map(({ store }) => store)).toEqual(['here']);

  const again = await migrate(home, '--from', old);
  expect(again.report.files.map(({ is }) => is)).toEqual(['there already', 'there already']);
}, 60_000);

test('an old home that is none is one line', async () => {
  const { code, err } = await migrate(world().scene.home, '--from', '/nowhere');
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/^error: \/nowhere has no sector-manager\.cfg: name the home.*\n$/),
  ]);
});
