import { execFile } from 'node:child_process';
import { access, chmod, chown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installDataDirectory } from '../src/database/install-data-directory.ts';
import { findServerProgram, serverUser } from '../src/database/server-programs.ts';
import { Stage } from './stage.ts';

const run = promisify(execFile);

export type ServerName = 'mariadb' | 'postgres' | 'redis-always' | 'redis-everysec';

/** Private servers on Unix sockets, each started when it is first asked for; all durable unless their name says otherwise. */
export class Servers {
  readonly #stage: Stage;
  readonly #sockets = new Map<ServerName, Promise<string>>();

  private constructor(stage: Stage) {
    this.#stage = stage;
  }

  static async open(): Promise<Servers> {
    const stage = await Stage.open('servers');
    // PostgreSQL runs as a user of its own, who must reach its folder.
    await chmod(stage.dir, 0o755);
    return new Servers(stage);
  }

  /** Path of the server's socket; PostgreSQL's is the folder that holds it. */
  socket(name: ServerName): Promise<string> {
    const known = this.#sockets.get(name);
    if (known !== undefined) return known;
    const started = name === 'mariadb' ? this.#mariadb() : name === 'postgres' ? this.#postgres() : this.#redis(name);
    this.#sockets.set(name, started);
    return started;
  }

  pid(name: ServerName): number | undefined {
    return this.#stage.pids.get(name);
  }

  close(): Promise<void> {
    return this.#stage.close();
  }

  async #mariadb(): Promise<string> {
    const data = join(this.#stage.dir, 'mariadb');
    const socket = join(this.#stage.dir, 'mariadb.sock');
    await installDataDirectory(data);
    const options = [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--tmpdir=${await this.#stage.folder('mariadb-tmp')}`,
      '--skip-networking',
      '--character-set-server=utf8mb4',
      '--max-allowed-packet=64M',
      '--innodb-buffer-pool-size=1G',
      '--innodb-log-file-size=1G',
      ...serverUser(),
    ];
    this.#stage.start('mariadb', await findServerProgram('mariadbd'), options);
    await this.#stage.untilLogged('mariadb', 'ready for connections');
    return socket;
  }

  async #postgres(): Promise<string> {
    const bin = await postgresPrograms();
    const folder = await this.#stage.folder('postgres');
    const data = join(folder, 'data');
    // The server refuses to run as root.
    const user = process.getuid?.() === 0 ? await userIds('postgres') : undefined;
    if (user !== undefined) await chown(folder, user.uid, user.gid);
    await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--no-locale', '-A', 'trust'], {
      ...user,
      cwd: folder,
    });
    const settings = [
      'listen_addresses=',
      `unix_socket_directories=${folder}`,
      'shared_buffers=1GB',
      'max_connections=200',
    ];
    const options = settings.flatMap((setting) => ['-c', setting]);
    this.#stage.start('postgres', join(bin, 'postgres'), ['-D', data, ...options], user);
    await this.#stage.untilLogged('postgres', 'database system is ready to accept connections');
    return folder;
  }

  async #redis(name: 'redis-always' | 'redis-everysec'): Promise<string> {
    const socket = join(this.#stage.dir, `${name}.sock`);
    const dir = await this.#stage.folder(name);
    const fsync = name === 'redis-always' ? 'always' : 'everysec';
    const options = ['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', '', '--appendonly', 'yes'];
    this.#stage.start(name, 'redis-server', [...options, '--appendfsync', fsync]);
    await this.#stage.untilLogged(name, 'ready to accept connections');
    return socket;
  }
}

/** Debian keeps them by version and not on the PATH. */
export async function postgresPrograms(): Promise<string> {
  const base = '/usr/lib/postgresql';
  const versions = await readdir(base).catch((): string[] => []);
  for (const version of versions.sort((a, b) => Number(a) - Number(b))) {
    const bin = join(base, version, 'bin');
    const found = await access(join(bin, 'initdb')).then(
      () => true,
      () => false,
    );
    if (found) return bin;
  }
  return '';
}

async function userIds(name: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
  );
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
