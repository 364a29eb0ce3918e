import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../src/clock/system-clock.ts';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { readProgress } from '../../src/programs/quickstart/progress.ts';
import { MINER } from '../../src/programs/quickstart/scene.ts';
import { createTestDatabase } from '../support/database.ts';
import { freePorts } from '../support/mariadb-server.ts';
import { useScene } from './use-scene.ts';

const LIMIT_MS = 150_000;
const world = useScene(4);

/** Passes calls on, and keeps the results. */
async function listenedTo(url: string) {
  const answers: unknown[] = [];
  const relay = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/rpc/v0' });
  relay.on('connection', (near) => {
    const far = new WebSocket(url);
    const asked: string[] = [];
    far.once('open', () => {
      for (const call of asked.splice(0)) far.send(call);
    });
    near.on('message', (data) =>
      far.readyState === WebSocket.OPEN ? far.send(String(data)) : asked.push(String(data)),
    );
    far.on('message', (data) => {
      answers.push(JSON.parse(String(data)).result);
      near.send(String(data));
    });
    far.on('error', () => near.terminate());
    far.on('close', () => near.terminate());
    near.on('close', () => far.terminate());
  });
  await once(relay, 'listening');
  onTestFinished(() => void relay.close());
  return { answers, address: `127.0.0.1:${(relay.address() as AddressInfo).port}` };
}

it(
  'a poster with --proxy finds sectors by the index of another manager, and by its own while that one is away',
  async () => {
    const { scene, daemons } = world();
    const chain = new DevChain();
    const chainArgs = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
    daemons.start('chain', 'wdpost-devnet', [...chainArgs, '--block-time', '500ms', '--skip-quiet'], (line) =>
      chain.onLine(line),
    );
    const { rpc, token, worker } = await chain.listening;
    const newManager = async (name: string, master = '') => {
      const { db, url, drop } = await createTestDatabase();
      onTestFinished(drop);
      const home = join(scene.home, name);
      await mkdir(home, { recursive: true });
      await writeFile(
        join(home, 'sector-manager.cfg'),
        `[Common.API]
Chain = "${rpc}"
Token = "${token}"
[Common.Cluster]
Database = "${url}"
${master}
[[Common.PersistStores]]
Name = "store"
Path = "${scene.store}"
[[Miners]]
Actor = ${MINER}
[Miners.PoSt]
Sender = "${worker}"
Confidence = 3
`,
      );
      return { home, db, indexed: () => db.kysely.selectFrom('store_sectors').select('store').execute() };
    };

    // Nobody proves for this one: the master that it names does not run.
    const holder = await newManager('holder', `Master = "127.0.0.1:${scene.masterPort}"`);
    const attach = ['--home', holder.home, 'util', 'storage', 'attach', '--name=store', scene.store];
    await promisify(execFile)('bin/sector-manager', attach);
    const [port] = await freePorts(1);
    const holds = ['--home', holder.home, 'daemon', 'run', '--poster', '--listen', `127.0.0.1:${port}`];
    daemons.start('holder', 'sector-manager', holds);

    const poster = await newManager('poster');
    await writeFile(join(poster.home, 'ext-prover.cfg'), '[[WdPost]]\nConcurrent = 1\n');
    const wire = await listenedTo(`ws://127.0.0.1:${port}/rpc/v0`);
    const posts = ['--home', poster.home, 'daemon', 'run', '--poster', '--ext-prover', '--proxy', wire.address];
    daemons.start('poster', 'sector-manager', posts);
    const landed = async (deadline: number) => {
      for (;;) {
        const rows = await readProgress(poster.db);
        const row = rows.find((one) => one.deadline === deadline && ['landed', 'missed'].includes(one.state));
        if (row !== undefined) return row;
        await systemClock.sleep(100);
      }
    };

    expect(await landed(0)).toMatchObject({ state: 'landed' });
    expect(wire.answers).toContainEqual({ Found: true, Instance: { SealedFile: 'store', CacheDir: 'store' } });
    await daemons.kill('holder');
    expect(await landed(1)).toMatchObject({ state: 'landed' });
    const log = await readFile(join(scene.logs, 'poster.log'), 'utf8');
    expect(log).toContain('the manager of --proxy does not answer, the own index is used');
    // What is found where the own index knows nothing is learnt.
    expect(await poster.indexed()).toEqual([{ store: 'store' }]);
    expect(await daemons.end('poster')).toBe(0);
  },
  LIMIT_MS,
);
