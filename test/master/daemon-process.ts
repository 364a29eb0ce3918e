import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EventQueue } from '../support/event-queue.ts';

const program = fileURLToPath(new URL('../../bin/wdpost-master-daemon', import.meta.url));
const verifier = fileURLToPath(new URL('../support/fake-verifier.mjs', import.meta.url));

export interface MasterProcess {
  readonly child: ChildProcess;
  readonly file: string;
  readonly port: number;
  /** What it logged and was not read yet. */
  readonly log: EventQueue<{ readonly msg: string; readonly [key: string]: unknown }>;
  readonly exit: Promise<number | null>;
}

/** A wdpost-master-daemon of its own, which listens when this resolves. */
export async function startMasterProcess(
  home: string,
  init: { readonly name: string; readonly databaseUrl: string; readonly port?: number; readonly server?: string },
): Promise<MasterProcess> {
  const file = join(home, `${init.name}.toml`);
  const server = `[server]\nlisten = '127.0.0.1:${init.port ?? 0}'\n${init.server ?? ''}`;
  await writeFile(file, `${server}\n[db]\nurl = '${init.databaseUrl}'\n\n[task]\nretry_job_interval = '1s'\n`);
  const env = { ...process.env, WDPOST_PROVER: verifier, WDPOST_TOKEN: '' };
  const child = spawn(program, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'], env });
  const log = new EventQueue<{ msg: string; [key: string]: unknown }>();
  createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line)));
  const exit = once(child, 'close').then(([code]) => code);
  const { port } = await log.until(({ msg }) => msg === 'master listens');
  return { child, file, port: Number(port), log, exit };
}

/** Ends what is left of it. */
export async function endMasterProcess({ child, exit }: MasterProcess): Promise<void> {
  child.kill('SIGKILL');
  await exit;
}

/** What a verb printed, and its exit code. */
export async function runVerb(
  ...args: string[]
): Promise<{ readonly code: number | null; readonly out: string; readonly error: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, WDPOST_TOKEN: '' } });
  let out = '';
  let error = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    error += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, error };
}
