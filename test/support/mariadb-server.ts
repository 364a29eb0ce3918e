import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { installDataDirectory } from '../../src/database/install-data-directory.ts';
import { findServerProgram, serverUser } from '../../src/database/server-programs.ts';

export interface MariadbServer {
  /** Of a user without SUPER on an existing, at first empty, schema; over TCP. */
  readonly url: string;
  readonly process: ChildProcess;
  /** SIGKILL is what a machine that fails looks like. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface MariadbServerInit {
  readonly dataDir: string;
  readonly port: number;
  readonly args: readonly string[];
  /** Said when it can be used, beside what every server says. */
  readonly says?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server on a TCP port of loopback with `args` of its own; for what the embedded one is not made for. */
export async function startMariadbServer(init: MariadbServerInit): Promise<MariadbServer> {
  const { dataDir, port, args, env } = init;
  await installDataDirectory(dataDir);
  await mkdir(`${dataDir}.tmp`, { recursive: true });
  const initFile = `${dataDir}.sql`;
  await writeFile(
    initFile,
    `CREATE DATABASE IF NOT EXISTS wdpost;
CREATE USER IF NOT EXISTS wdpost@'%' IDENTIFIED BY 'secret';
GRANT ALL ON wdpost.* TO wdpost@'%';
`,
  );
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      await findServerProgram('mariadbd'),
      '--no-defaults',
      `--datadir=${dataDir}`,
      `--socket=${dataDir}.tmp/mysql.sock`,
      `--pid-file=${dataDir}.tmp/mysql.pid`,
      `--tmpdir=${dataDir}.tmp`,
      `--init-file=${initFile}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--skip-name-resolve',
      '--innodb-buffer-pool-size=64M',
      ...serverUser(),
      ...args,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } },
  );
  const lastLines: string[] = [];
  // A signal that comes before the first of these is lost.
  const awaited = new Set(['mariadbd: ready for connections', ...(init.says === undefined ? [] : [init.says])]);
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      for (const words of awaited) if (line.includes(words)) awaited.delete(words);
      if (awaited.size === 0) resolve();
    });
    child.once('exit', () => reject(new Error(`mariadbd ended:\n${lastLines.join('\n')}`)));
  });
  return {
    url: `mysql://wdpost:secret@127.0.0.1:${port}/wdpost`,
    process: child,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}

/** Free ones below those that the system gives to outgoing connections. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    if (!ports.includes(port)) ports.push(port);
  }
  return ports;
}
