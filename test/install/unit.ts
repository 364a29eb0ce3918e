import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** What systemd would start: the last ExecStart line of a unit with the variables that the unit sets. */
export async function startUnit(
  file: string,
  init: { readonly instance?: string; readonly env: NodeJS.ProcessEnv },
): Promise<ChildProcess> {
  const text = (await readFile(file, 'utf8')).replaceAll('%i', init.instance ?? '');
  const values = (key: string) => [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  const own = values('Environment').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]);
  const command = values('ExecStart').at(-1) ?? '';
  // A shell splits $FLAGS at blanks as systemd does.
  return spawn('sh', ['-c', `exec ${command}`], {
    cwd: '/',
    env: { ...Object.fromEntries(own), ...init.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
