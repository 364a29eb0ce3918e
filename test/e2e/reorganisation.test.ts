import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { DevChain } from '../../src/programs/quickstart/dev-chain.ts';
import { openManagersDatabase } from '../../src/programs/quickstart/managers-database.ts';
import { readProgress } from '../../src/programs/quickstart/progress.ts';
import { MINER, writeConfigs } from '../../src/programs/quickstart/scene.ts';
import { useScene } from './use-scene.ts';

const LIMIT_MS = 120_000;

const world = useScene(4);

it(
  'proves again for the new challenge when the chain reorganises below it, also what was sent already',
  async () => {
    const { scene, daemons } = world();
    const chain = new DevChain();
    const home = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
    const layout = ['--block-time', '500ms', '--start-epoch', '120', '--partitions-per-deadline', '2'];
    daemons.start('chain', 'wdpost-devnet', [...home, ...layout], (line) => chain.onLine(line));
    const { rpc, token, worker } = await chain.listening;
    await writeConfigs(scene, { rpc, token, sender: worker });
    const managerHome = join(scene.home, 'manager');
    daemons.start('manager', 'sector-manager', ['--home', managerHome, 'daemon', 'run', '--poster']);
    daemons.start('slave', 'wdpost-slave-daemon', ['-c', join(scene.home, 'slave.toml')]);
    const db = await openManagersDatabase(systemClock, managerHome, new AbortController().signal);
    const until = async (isSo: (rows: Awaited<ReturnType<typeof readProgress>>) => boolean) => {
      for (;;) {
        const rows = await readProgress(db);
        if (isSo(rows)) return rows;
        await systemClock.sleep(100);
      }
    };

    await until((rows) => rows.some(({ state }) => state === 'sending'));
    const method = { jsonrpc: '2.0', id: 1, method: 'Devnet.Reorg', params: [40, true] };
    const answer = await fetch(rpc.replace('ws:', 'http:'), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(method),
    });
    expect(await answer.json()).not.toHaveProperty('error');

    const rows = await until(
      (all) => all.length === 2 && all.every(({ state }) => state === 'landed' || state === 'missed'),
    );
    expect(rows.map(({ state }) => state)).toEqual(['landed', 'landed']);
    await db.close();
    expect(await daemons.end('chain')).toBe(0);
    expect(rows.map((row) => chain.verdictOn(row))).toEqual(rows.map(() => ({ verified: true, disputed: false })));
  },
  LIMIT_MS,
);
