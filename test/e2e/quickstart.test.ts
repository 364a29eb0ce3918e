import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { livingProcesses } from '../../src/programs/quickstart/scene.ts';

const LIMIT_MS = 240_000;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wdpost-e2e-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

it(
  'proves and lands several deadlines, skips a lost sector and recovers it, and leaves nothing running',
  async () => {
    const run = start();
    const [code] = await once(run.child, 'exit');
    expect(run.output(), run.output()).toContain('accepted');
    expect(code, run.output()).toBe(0);
    const summary = JSON.parse(run.output().trim().split('\n').at(-1) ?? '');
    expect(summary).toMatchObject({ skipped: 1, recovered: 1 });
    expect(summary.accepted).toBe(summary.partitions);
    expect(summary.deadlines).toBeGreaterThanOrEqual(3);
    expect(await livingProcesses(home)).toEqual([]);
  },
  LIMIT_MS,
);

function start(): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, ['dist/programs/quickstart/main.js', '--home', join(home, 'quickstart')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  return { child, output: () => text };
}
