import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { delayFs } from './paths.ts';
import { until } from './stage.ts';

export interface Reads {
  readonly reads: number;
  readonly mostAtOnce: number;
}

const OPTIONS = ['-f', '-o', 'ro,max_threads=256,max_idle_threads=256'];

/** Works on a mirror of a folder, mounted at `path` meanwhile, whose every read takes so much longer. */
export async function withSlowMirror<T>(
  folder: string,
  path: string,
  delayMs: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly reads: Reads }> {
  await mkdir(path, { recursive: true });
  const { dev } = await stat(path);
  const args = ['--pdeathsig', 'TERM', delayFs, folder, String(delayMs), path, ...OPTIONS];
  const child = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = once(createInterface({ input: child.stdout }), 'line');
  const gone = once(child, 'exit');
  let result: T;
  try {
    await until('the slow mirror', async () => (await stat(path)).dev !== dev);
    result = await work();
  } finally {
    child.kill('SIGTERM');
    await gone;
  }
  const [line] = await said;
  return { result, reads: JSON.parse(line) };
}
