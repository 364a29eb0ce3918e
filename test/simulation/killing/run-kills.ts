import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Random } from '../../chaos/random.ts';
import { Ledger, PARTITIONS, postedBy } from './ledger.ts';

const run = promisify(execFile);
const CHILD_LIMIT_MS = 60_000;

const ended = z.object({ statements: z.number(), finished: z.boolean() });

export interface KillResult {
  readonly kills: number;
  /** Of the process that was let live. */
  readonly statements: number;
  readonly problems: readonly string[];
}

/** A kill around the n-th statement of a process. */
export interface Kill {
  readonly at: number;
  readonly after: boolean;
}

/**
 * Proves one deadline of a miner of its own with a process that is killed by each of `kills` in turn, started again, and let live at
 * last; judged by the file of what was pushed.
 * @param child the compiled killed-poster
 */
export async function runKills(init: {
  readonly child: string;
  readonly databaseUrl: string;
  readonly minerId: number;
  readonly kills: readonly Kill[];
}): Promise<KillResult> {
  const home = await mkdtemp(join(tmpdir(), 'kills-'));
  const file = join(home, 'ledger');
  await writeFile(file, '');
  const start = (...kill: readonly string[]) =>
    run(process.execPath, [init.child, init.databaseUrl, file, String(init.minerId), ...kill], {
      timeout: CHILD_LIMIT_MS,
    });
  try {
    let kills = 0;
    for (const { at, after } of init.kills) {
      const killed = await start(String(at), after ? 'after' : 'before').then(
        () => false,
        (error: { signal?: string; stderr?: string }) => {
          if (error.signal === 'SIGKILL') return true;
          throw new Error(`the poster failed: ${error.stderr}`, { cause: error });
        },
      );
      if (killed) kills++;
    }
    const { stdout } = await start();
    const { statements, finished } = ended.parse(JSON.parse(stdout));
    const ledger = new Ledger();
    for (const line of (await readFile(file, 'utf8')).split('\n')) if (line !== '') ledger.apply(JSON.parse(line));
    return { kills, statements, problems: judge(ledger, finished) };
  } finally {
    await rm(home, { recursive: true });
  }
}

export function drawKills(random: Random, statements: number): Kill[] {
  return Array.from({ length: random.between(1, 3) }, () => ({
    at: random.between(1, statements),
    after: random.chance(0.5),
  }));
}

function judge(ledger: Ledger, isFinished: boolean): string[] {
  const problems: string[] = [];
  for (let index = 0; index < PARTITIONS; index++) {
    const nonces = new Set(
      ledger.pushes.filter((signed) => postedBy(signed).includes(index)).map(({ message }) => message.nonce),
    );
    if (!ledger.posted.has(index)) problems.push(`partition ${index} was never proven`);
    if (nonces.size > 1) problems.push(`partition ${index} was sent with the nonces ${[...nonces].join(', ')}`);
  }
  for (const { signed, exitCode } of ledger.landed) {
    if (exitCode !== 0)
      problems.push(`the message with nonce ${signed.message.nonce} ended with exit code ${exitCode}`);
  }
  if (!isFinished) problems.push('the run was never closed');
  return problems;
}
