import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { systemClock } from '../../src/clock/system-clock.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

/** A MariaDB of our own that is killed and started again. We ask it by its socket, with statements of our own. */
export class DatabaseServer {
  readonly #home: string;
  #server: EmbeddedDatabase;

  private constructor(home: string, server: EmbeddedDatabase) {
    this.#home = home;
    this.#server = server;
  }

  static async start(): Promise<DatabaseServer> {
    const home = await mkdtemp(join(tmpdir(), 'chaos-db-'));
    return new DatabaseServer(home, await startServer(home));
  }

  get socketPath(): string {
    return join(this.#home, 'd', 'mysql.sock');
  }

  signal(signal: NodeJS.Signals): void {
    this.#server.process.kill(signal);
  }

  async kill(): Promise<void> {
    const { process: server } = this.#server;
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#server = await startServer(this.#home);
  }

  async query<Row>(statement: string): Promise<Row[]> {
    const connection = await createConnection({
      socketPath: this.socketPath,
      user: 'root',
      supportBigNumbers: true,
    });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(statement);
      return rows as Row[];
    } finally {
      connection.destroy();
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#home, { recursive: true, force: true });
  }
}

function startServer(home: string): Promise<EmbeddedDatabase> {
  const logger = createLogger('chaos', { LOG_LEVEL: 'warn' });
  return startEmbeddedDatabase(
    { clock: systemClock, logger },
    { dataDir: join(home, 'd'), socketPath: join(home, 'd', 'mysql.sock') },
  );
}
