import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { ProverKeeper } from '../../src/ext-processor/prover-keeper.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { answering, isAlive, saying, scripted } from './scripted.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent' });

/** Keeps a scripted child; pauses are noted and last no time. */
function keep(init = scripted()) {
  const pauses: number[] = [];
  const clock: Clock = {
    ...systemClock,
    async sleep(ms, signal) {
      pauses.push(ms);
      await systemClock.sleep(0, signal);
    },
  };
  const keeper = new ProverKeeper({ clock, logger }, init);
  onTestFinished(() => keeper.close());
  return { keeper, pauses };
}

test('starts the child again after its end', async () => {
  const { keeper, pauses } = keep();
  await keeper.untilReady(10_000);
  const first = keeper.pid;
  await expect(keeper.request({ exit: 1 })).rejects.toMatchObject({ code: 'prover-exited' });
  await vi.waitUntil(() => keeper.isReady && keeper.pid !== first, { timeout: 10_000 });
  await expect(keeper.request(saying(answering(1)))).resolves.toBe(1);
  expect(pauses).toEqual([1_000]);
});

test('pauses longer each time while the child does not start, and says why it is not ready', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'keeper-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  // Fails until the file says otherwise.
  const script = join(dir, 'prover.mjs');
  await writeFile(script, "console.error('no parameters'); process.exit(1);");
  const { keeper, pauses } = keep({ ...scripted(), args: [script] });
  await keeper.firstStart;
  await expect(keeper.untilReady(1)).rejects.toMatchObject({
    code: 'prover-unavailable',
    message: expect.stringMatching(/not ready: .*no parameters$/),
  });
  await vi.waitUntil(() => pauses.length >= 8, { timeout: 20_000 });
  expect(pauses.slice(0, 8)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  await writeFile(script, await readFile(scripted().args[0] ?? ''));
  await writeFile(
    script,
    `process.argv[2] = '{"first":"window_post processor ready\\\\n"}';\n${await readFile(script)}`,
  );
  await keeper.untilReady(10_000);
});

test('a restart ends the child and what it works at, and starts the next one without a pause', async () => {
  const { keeper, pauses } = keep();
  await keeper.untilReady(10_000);
  const first = keeper.pid ?? 0;
  const waiting = expect(keeper.request({ hold: 1 })).rejects.toMatchObject({ code: 'prover-exited' });
  await keeper.restart();
  await waiting;
  expect(isAlive(first)).toBe(false);
  await keeper.untilReady(10_000);
  expect(keeper.pid).not.toBe(first);
  expect(pauses).toEqual([]);
});

test('close ends a child that is ready, and one that is starting', async () => {
  const { keeper } = keep();
  await keeper.untilReady(10_000);
  const pid = keeper.pid ?? 0;
  await keeper.close();
  expect(isAlive(pid)).toBe(false);

  const { keeper: starting } = keep(scripted({}));
  const unready = await vi.waitUntil(() => starting.pid, { timeout: 10_000 });
  await starting.close();
  expect(isAlive(unready)).toBe(false);
});
