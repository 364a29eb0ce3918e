import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { pino } from 'pino';
import { retry } from '../../src/clock/retry.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { CodedError, errorCode } from '../../src/errors/coded-error.ts';
import { canonicalTask } from '../../src/queue/window-post-task.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { benchChild, program } from '../paths.ts';
import type { Servers } from '../servers.ts';
import { freePort, type Stage } from '../stage.ts';
import { CONCURRENCY, CONSUMERS, type System } from './system.ts';

const RETRY_MS = 100;
const isLost = (error: unknown): boolean => errorCode(error) === 'connection-lost';

export const HISTORY_SCHEMA = 'history';

/** The contest's deadline is far away: Close is looked at, and never reached. */
const CLOSE_MS = 24 * 3600 * 1000;

const ABOUT = 'this project: master and two slave daemons over WebSocket, MariaDB as for the floor';

export const wdpost = wdpostSystem('wdpost', ABOUT);
/** On a schema that `fillHistory` has filled. */
export const wdpostWithHistory = wdpostSystem(
  'wdpost-history',
  `${ABOUT}, with a million archived tasks`,
  HISTORY_SCHEMA,
);

/** @param schema kept from round to round; default: an empty one each time */
function wdpostSystem(name: string, about: string, schema?: string): System {
  return {
    name,
    about,
    server: 'mariadb',
    async prepare(servers, stage) {
      const master = await startMaster(servers, stage, schema === undefined ? {} : { schema });
      const env = { BENCH_GATE: gateOf(stage), BENCH_STARTS: startsOf(stage) };
      const slaves = Array.from({ length: CONSUMERS }, (_, index) => ({
        name: `slave-${index + 1}`,
        concurrent: CONCURRENCY,
      }));
      for (const slave of slaves) await startSlave(stage, master.address, slave, env);
      return master.address;
    },
    async producer(place, hooks) {
      const client = await submitter(place, (_, state) => {
        if (state === 'proven') hooks.finished();
      });
      return {
        async enqueue(task) {
          // As the manager does; the same submission twice is one task.
          const submit = () =>
            client.call('task.submit', { closeAt: systemClock.now() + CLOSE_MS }, { attachment: canonicalTask(task) });
          await retry(
            systemClock,
            { pauseMs: RETRY_MS, maxPauseMs: RETRY_MS, isTransient: isLost, onFailure: () => {} },
            submit,
          );
        },
        close: () => client.close(),
      };
    },
  };
}

/** Children are not ready before this file is there. */
export function gateOf(stage: Stage): string {
  return join(stage.dir, 'gate');
}

/** The children's log of starts. */
export function startsOf(stage: Stage): string {
  return join(stage.dir, 'starts');
}

export interface Master {
  readonly address: string;
  readonly schema: string;
  /** Starts the same master again after a kill. */
  restart(): void;
}

export interface MasterInit {
  readonly schema?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** More lines for these sections of wdpost_master.toml. */
  readonly server?: string;
  readonly task?: string;
}

/** As process `master`; resolves when it listens. */
export async function startMaster(servers: Servers, stage: Stage, init: MasterInit = {}): Promise<Master> {
  const socket = await servers.socket('mariadb');
  const schema = init.schema ?? 'bench';
  const connection = await mysql.createConnection({ socketPath: socket, user: 'root' });
  if (init.schema === undefined) await connection.query(`DROP DATABASE IF EXISTS ${schema}`);
  await connection.query(`CREATE DATABASE IF NOT EXISTS ${schema} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  // Tasks of an earlier round; those archived stay.
  if (init.schema !== undefined) await connection.query(`TRUNCATE ${schema}.tasks`).catch(() => {});
  await connection.end();
  const address = `127.0.0.1:${await freePort()}`;
  const file = join(stage.dir, 'master.toml');
  const url = `mysql://root@localhost/${schema}?socketPath=${encodeURIComponent(socket)}`;
  const sections = [`[server]\nlisten = '${address}'`, init.server, `[db]\nurl = '${url}'`, '[task]', init.task];
  await writeFile(file, `${sections.filter((section) => section !== undefined).join('\n')}\n`);
  const env = { WDPOST_PROVER: benchChild, ...init.env };
  const restart = (): void => {
    stage.start('master', program('wdpost-master-daemon'), ['-c', file], { env });
  };
  restart();
  await stage.untilLogged('master', 'master listens');
  return { address, schema, restart };
}

/** Under its own name; resolves at once. */
export async function startSlave(
  stage: Stage,
  address: string,
  slave: { readonly name: string; readonly concurrent: number },
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const file = join(stage.dir, `${slave.name}.toml`);
  const section = `[slave]\nconcurrent = ${slave.concurrent}\nname = '${slave.name}'`;
  await writeFile(file, `[master]\nserver_addr = '${address}'\nheartbeat_interval = '1s'\n${section}\n`);
  stage.start(slave.name, program('wdpost-slave-daemon'), ['-c', file], { env: { WDPOST_PROVER: benchChild, ...env } });
}

export const quiet = { clock: systemClock, logger: pino({ level: 'silent' }) };

/** @param onChange a task reached another state */
export async function submitter(
  address: string,
  onChange: (id: string, state: string) => void = () => {},
): Promise<RpcClient> {
  const client = new RpcClient(quiet, {
    urls: [address],
    reconnectIntervalMs: 500,
    hello: () => ({ role: 'submitter', name: 'bench' }),
    handlers: {
      'task.changed': ({ id, state }) => {
        if (state === 'failed' || state === 'faulted') {
          throw new CodedError('bench-task-failed', `task ${id} is ${state}`);
        }
        onChange(id, state);
        return null;
      },
    },
  });
  await client.start();
  return client;
}
