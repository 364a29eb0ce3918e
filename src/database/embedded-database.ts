import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { installDataDirectory, ownTemporaryDirectory } from './install-data-directory.ts';
import { findServerProgram, serverUser } from './server-programs.ts';

export interface EmbeddedDatabase {
  /** Of the schema `wdpost`, which exists. */
  readonly url: string;
  readonly process: ChildProcess;
  /** Resolves when the server has written everything and is gone. */
  stop(): Promise<void>;
}

export interface EmbeddedDatabaseInit {
  /** Made when it does not exist. */
  readonly dataDir: string;
  /** Default: mysql.sock in the data directory, or a short name in the temporary directory where that is too long. */
  readonly socketPath?: string;
}

const SCHEMA = 'wdpost';
/** struct sockaddr_un has 108 bytes, the last one zero. */
const LONGEST_SOCKET_PATH = 107;
/** Recovery after a crash reads the whole redo log. */
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 60_000;
const MAX_KEPT_LINES = 20;

/**
 * A MariaDB server of one's own: own data directory, a Unix socket and no TCP port, nothing system-wide. It ends with the
 * process that started it (setpriv), so that the next start finds its data directory free.
 * @throws CodedError `embedded-database-failed` with the server's last words
 */
export async function startEmbeddedDatabase(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: EmbeddedDatabaseInit,
): Promise<EmbeddedDatabase> {
  const { clock, logger } = components;
  const dataDir = resolve(init.dataDir);
  const socketPath = init.socketPath ?? defaultSocketPath(dataDir);
  const server = await findServerProgram('mariadbd');
  await mkdir(resolve(dataDir, '..'), { recursive: true });
  await installDataDirectory(dataDir);
  const initFile = join(dataDir, 'init.sql');
  await writeFile(
    initFile,
    `CREATE DATABASE IF NOT EXISTS ${SCHEMA} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\n`,
  );

  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'TERM',
      server,
      '--no-defaults',
      `--datadir=${dataDir}`,
      `--socket=${socketPath}`,
      '--skip-networking',
      `--pid-file=${join(dataDir, 'mariadbd.pid')}`,
      '--character-set-server=utf8mb4',
      '--max-allowed-packet=64M',
      `--init-file=${initFile}`,
      ...serverUser(),
    ],
    // A group of its own: Ctrl-C is for us, and we stop the database last.
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: { ...process.env, TMPDIR: await ownTemporaryDirectory(dataDir) },
    },
  );
  const lastLines: string[] = [];
  const ready = new Promise<void>((resolveReady, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > MAX_KEPT_LINES) lastLines.shift();
      logger.debug({ line }, 'embedded database');
      if (line.includes('ready for connections')) resolveReady();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error('it ended')));
  });
  try {
    await withTimeLimit(clock, START_LIMIT_MS, 'the embedded database', ready);
  } catch (error) {
    child.kill('SIGKILL');
    const why = lastLines.findLast((line) => /error/i.test(line)) ?? lastLines.at(-1) ?? '';
    throw new CodedError('embedded-database-failed', `the database in ${dataDir} does not start: ${why}`, {
      cause: error,
    });
  }
  logger.info({ dataDir, socketPath, pid: child.pid }, 'embedded database runs');
  return {
    url: `mysql://root@localhost/${SCHEMA}?socketPath=${encodeURIComponent(socketPath)}`,
    process: child,
    stop: () => stop(clock, child),
  };
}

async function stop(clock: Clock, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await withTimeLimit(clock, STOP_LIMIT_MS, 'the embedded database', gone);
}

function defaultSocketPath(dataDir: string): string {
  const inside = join(dataDir, 'mysql.sock');
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH) return inside;
  return join(tmpdir(), `wdpost-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.sock`);
}
