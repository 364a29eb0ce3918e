import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { readProgress } from '../../src/programs/quickstart/progress.ts';
import { MINER, type Scene } from '../../src/programs/quickstart/scene.ts';
import { createEmptySchema } from '../support/database.ts';
import { freePorts } from '../support/mariadb-server.ts';
import { makeSeedTables } from '../support/seed-tables.ts';
import { NodeMessager } from './node-messager.ts';
import { useScene } from './use-scene.ts';

const LIMIT_MS = 150_000;

const world = useScene(4);

/** The guide's files with Actor and Path uncommented; only addresses, paths and names of accounts are others here. */
async function writeSeedFiles(scene: Scene, changes: Readonly<Record<string, readonly [string, string][]>>) {
  for (const [file, replacements] of Object.entries(changes)) {
    const seed = file === 'sector-manager.cfg' ? 'seed-sector-manager-named.cfg' : `seed-${file}`;
    let text = await readFile(new URL(`../config/data/${seed}`, import.meta.url), 'utf8');
    for (const [before, after] of replacements) {
      expect(text, `${seed} has ${before}`).toContain(before);
      text = text.replaceAll(before, after);
    }
    await writeFile(join(scene.home, 'manager', file), text);
  }
}

it(
  "the guide's four files, with its tables made by hand, start a cluster that proves a deadline",
  async () => {
    const { scene, daemons } = world();
    const schema = await createEmptySchema();
    onTestFinished(() => schema.drop());
    await makeSeedTables(schema.db);
    const chain = new DevChain();
    const chainArgs = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
    daemons.start('chain', 'wdpost-devnet', [...chainArgs, '--block-time', '500ms', '--start-epoch', '130'], (line) =>
      chain.onLine(line),
    );
    const { rpc, token, worker } = await chain.listening;
    const messager = await NodeMessager.start({ rpc, token });
    onTestFinished(() => messager.close());
    const [listen = 0, silent] = await freePorts(2);
    const home = join(scene.home, 'manager');
    await writeSeedFiles(scene, {
      'sector-manager.cfg': [
        ['/ip4/47.243.169.165/tcp/1234/ws', `/ip4/127.0.0.1/tcp/${new URL(rpc).port}/ws`],
        ['/dns/cali-messager.filincubator.com/tcp/82/wss', `/ip4/127.0.0.1/tcp/${messager.port}/ws`],
        ['/dns/cali-gateway.filincubator.com/tcp/83/wss', `/ip4/127.0.0.1/tcp/${silent}/ws`],
        ['<jwt>', token],
        ['/storage02/cluster-cailbnet/duan-force-sealer/nfs/192.168.200.35', scene.store],
        ['1447', String(MINER)],
        ['f3sc7rocifuabifirjul34bcpq2m2vvrg6yz2pghbbikd4aylnvhfs7dkeoaydmprzj7m4ptiff7k436x4slqa', worker],
      ],
      'ext-prover.cfg': [
        ['/root/venus-cluster/dist/bin/wdpost-master-daemon', resolve('bin/wdpost-master-daemon')],
        ['/root/venus-cluster/dist/bin', home],
      ],
      'wdpost_master.toml': [
        ['0.0.0.0:4698', `0.0.0.0:${scene.masterPort}`],
        ['mysql://root:password@localhost/wdpost', schema.url],
      ],
      'slave.toml': [['192.168.200.113:4698', `127.0.0.1:${scene.masterPort}`]],
    });
    const flags = ['--poster', '--miner', '--listen', `0.0.0.0:${listen}`, '--ext-prover'];
    daemons.start('manager', 'sector-manager', ['--home', home, 'daemon', 'run', ...flags]);
    daemons.start('slave', 'wdpost-slave-daemon', [`-c=${join(home, 'slave.toml')}`]);

    for (;;) {
      const partitions = await readProgress(schema.db).catch(() => []);
      if (partitions.some((one) => one.state === 'landed' && chain.verdictOn(one).verified)) break;
      await systemClock.sleep(100);
    }
    expect(messager.pushed).toBeGreaterThanOrEqual(1);
    const [task] = await schema.db.kysely.selectFrom('tasks').selectAll().where('out_body', 'is not', null).execute();
    expect(task).toMatchObject({ error_reason: null, retry_count: 0 });
    const asked = await fetch(`http://127.0.0.1:${listen}/rpc/v0`, {
      method: 'POST',
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'Venus.SectorIndexerFind',
        params: ['normal', { Miner: MINER, Number: 0 }],
      }),
    });
    const instance = { SealedFile: 'theduan1', CacheDir: 'theduan1' };
    expect(await asked.json()).toMatchObject({ result: { Found: true, Instance: instance } });
    const health = await fetch(`http://127.0.0.1:${listen}/healthcheck`);
    expect([health.status, await health.json()]).toEqual([200, expect.objectContaining({ status: 'ok', leads: true })]);
  },
  LIMIT_MS,
);
