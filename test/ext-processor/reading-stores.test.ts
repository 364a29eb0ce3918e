import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { ProverProcess } from '../../src/ext-processor/prover-process.ts';
import { rehearsalOutput, type WindowPostTask } from '../../src/rpc/window-post.ts';
import { canMount, Mount } from '../stores/bindfs.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { fakeTask, prover, proverEnv } from './real-prover.ts';

const STORES = 8;
const SECTORS = 2;
const HUNG = 5;

/** The sectors of each store have the same numbers when they are made; a task numbers them through. */
function joined(tasks: readonly WindowPostTask[]): WindowPostTask {
  const [first] = tasks;
  if (first === undefined) throw new TypeError('no task');
  const replicas = tasks.flatMap((task, store) =>
    task.replicas.map((replica) => ({ ...replica, sector_id: 100 * store + replica.sector_id })),
  );
  return { ...first, replicas };
}

describe.runIf(canMount)('of eight stores', () => {
  test('one that hangs costs its own sectors, none of them bad, until it answers again', {
    timeout: 120_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reading-'));
    const [source, path] = [join(folder, 'source'), join(folder, 'mounted')];
    await Promise.all([source, path].map((dir) => mkdir(dir)));
    const tasks: WindowPostTask[] = [];
    for (let store = 0; store < STORES; store++) {
      const root = store === HUNG ? source : join(folder, `store-${store}`);
      const task = await fakeTask(root, SECTORS);
      const text = JSON.stringify(task);
      tasks.push(store === HUNG ? JSON.parse(text.replaceAll(source, path)) : task);
    }
    const mount = new Mount(source, path);
    await mount.mount();
    const reader = new ProverProcess(
      { clock: systemClock, logger: silentLogger },
      {
        bin: prover,
        args: ['processor', 'window_post', '--rehearse', '--read-timeout', '10'],
        stage: 'window_post',
        env: proverEnv,
        readyTimeoutMs: 60_000,
      },
    );
    onTestFinished(async () => {
      mount.goOn();
      await reader.kill();
      mount.end();
      await rm(folder, { recursive: true });
    });
    await reader.start();
    const read = async () => rehearsalOutput.parse(await reader.request(joined(tasks)));

    // Readers take their time to start on a busy machine, so that the first ones may time out; after this they are there.
    await read();
    mount.hang();
    const hung = await read();
    expect(hung.details?.map(({ sector_id, class: kind }) => [sector_id, kind])).toEqual(
      Array.from({ length: SECTORS }, (_, sector) => [100 * HUNG + sector, 'unknown']),
    );
    expect(hung.details?.[0]?.reason).toMatch(/timed out|hangs/);
    mount.goOn();
    expect((await read()).faults).toEqual([]);
  });
});
