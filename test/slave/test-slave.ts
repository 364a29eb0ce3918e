import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock/clock.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { SlaveConfig } from '../../src/config/slave-file.ts';
import { runSlave } from '../../src/programs/slave/slave.ts';
import type { WindowPostTask } from '../../src/rpc/window-post.ts';
import { READY, scripted } from '../ext-processor/scripted.ts';
import { EventQueue } from '../support/event-queue.ts';

interface LogLine {
  readonly msg: string;
  readonly proverPid?: number;
  readonly reason?: string;
}

export interface TestSlave {
  readonly logs: EventQueue<LogLine>;
  /** The slave's end: resolves after `stop`, rejects where it cannot go on. */
  readonly ended: Promise<void>;
  /** The process id of the prover that is ready next. */
  nextProver(): Promise<number>;
  stop(): Promise<void>;
}

/** An executable that behaves as test/ext-processor/scripted-child.mjs, or as `program` says. */
export async function scriptedProver(begin: Parameters<typeof scripted>[0] = { first: READY }): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'prover-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'prover');
  await rewriteProver(file, begin);
  return file;
}

export async function rewriteProver(
  file: string,
  begin: Parameters<typeof scripted>[0] = { first: READY },
): Promise<void> {
  const [script, argument] = scripted(begin).args;
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${script}' '${argument}' "$@"\n`);
  await chmod(file, 0o755);
}

/** A whole slave in this process, on real sockets and with real children. */
export function startSlave(
  port: number,
  init: {
    readonly env: NodeJS.ProcessEnv;
    readonly heartbeatIntervalMs?: number;
    readonly slave?: Partial<SlaveConfig['slave']>;
    readonly attached?: SlaveConfig['attached'];
    readonly clock?: Clock;
  },
): TestSlave {
  const config: SlaveConfig = {
    master: {
      serverAddr: [`127.0.0.1:${port}`],
      reconnectIntervalMs: 20,
      heartbeatIntervalMs: init.heartbeatIntervalMs ?? 20,
    },
    slave: { concurrent: 1, pullIntervalMs: 1_000, name: 'slave-under-test', ...init.slave },
    attached: init.attached ?? [],
  };
  const logs = new EventQueue<LogLine>();
  const provers = new EventQueue<number>();
  const logger = pino(
    {
      level: 'info',
    },
    {
      write(text: string) {
        const line = JSON.parse(text) as LogLine;
        logs.push(line);
        if (line.msg === 'prover: ready' && line.proverPid !== undefined) provers.push(line.proverPid);
      },
    },
  );
  const stopping = new AbortController();
  const env = { PATH: process.env.PATH, ...init.env };
  const ended = runSlave({ clock: init.clock ?? systemClock, logger }, config, { env, signal: stopping.signal });
  ended.catch(() => {});
  const stop = async (): Promise<void> => {
    stopping.abort();
    await ended.catch(() => {});
  };
  onTestFinished(stop);
  return { logs, ended, nextProver: () => provers.next(), stop };
}

/** A task for the scripted prover: what it is to do rides along. */
export function taskThat(script: object): WindowPostTask {
  const task = { miner_id: 1000, proof_type: 'StackedDrgWindow2KiBV1_2', replicas: [], seed: [] };
  return { ...task, ...script };
}
