import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { Fleet } from '../../src/programs/quickstart/fleet.ts';

it('processes that are released go on, and still write', async () => {
  const home = await mkdtemp(join(tmpdir(), 'fleet-'));
  onTestFinished(() => rm(home, { recursive: true }));
  await writeFile(join(home, 'ticker'), '#!/bin/sh\nwhile echo "tick $1"; do sleep 0.02; done\n');
  await chmod(join(home, 'ticker'), 0o755);
  const fleet = new Fleet({ clock: systemClock }, { bin: home, logs: home, env: process.env });
  const heard = await new Promise<string>((resolve) => fleet.start('one', 'ticker', ['tock'], resolve));
  expect(heard).toBe('tick tock');
  const [pid = 0] = fleet.pids;
  onTestFinished(() => {
    process.kill(pid);
  });

  fleet.release();
  const written = async () => (await readFile(join(home, 'one.out'), 'utf8')).length;
  const before = await written();
  const grown = async () => {
    while ((await written()) < before + 50) await systemClock.sleep(10);
    return 'goes on';
  };
  expect(await Promise.race([grown(), fleet.broken])).toBe('goes on');
});
