import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
  'a manager with --shadow does everything but send, and tells what it would have sent',
  async () => {
    const { scene, daemons } = world();
    const chain = new DevChain();
    const chainArgs = ['--home', join(scene.home, 'chain'), '--miner', `t0${MINER}`, '--sectors', scene.sectorsFile];
    daemons.start('chain', 'wdpost-devnet', [...chainArgs, '--block-time', '400ms', '--start-epoch', '125'], (line) =>
      chain.onLine(line),
    );
    const { rpc, token, worker } = await chain.listening;
    await writeConfigs(scene, { rpc, token, sender: worker });
    const home = join(scene.home, 'manager');
    daemons.start('manager', 'sector-manager', ['--home', home, 'daemon', 'run', '--poster', '--shadow']);
    daemons.start('slave', 'wdpost-slave-daemon', ['-c', join(scene.home, 'slave.toml')]);
    const db = await openManagersDatabase(systemClock, home, new AbortController().signal);
    for (;;) {
      const rows = await readProgress(db).catch(() => []);
      if (rows.some(({ state }) => state === 'missed')) break;
      await systemClock.sleep(200);
    }
    const messages = await db.kysely.selectFrom('messages').select(['state', 'nonce', 'error']).execute();
    await db.close();
    expect(messages[0]).toMatchObject({ state: 'expired', nonce: null, error: 'shadow: not sent' });
    expect(messages.every(({ nonce }) => nonce === null)).toBe(true);

    const args = ['--home', home, 'util', 'sealer', 'proving', 'shadow-report', '--json'];
    const { stdout } = await promisify(execFile)('bin/sector-manager', args);
    const report = JSON.parse(stdout) as { messages: object[]; lost: object[] };
    expect(report.lost).toEqual([]);
    expect(report.messages[0]).toMatchObject({
      purpose: 'submit',
      deadline: 0,
      partitions: [0],
      refusal: null,
      postedByOthers: false,
    });
    expect(await daemons.end('chain')).toBe(0);
  },
  LIMIT_MS,
);
