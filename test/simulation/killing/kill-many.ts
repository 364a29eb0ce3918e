import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { systemClock } from '../../../src/clock/system-clock.ts';
import { openDatabase } from '../../../src/database/database.ts';
import { startEmbeddedDatabase } from '../../../src/database/embedded-database.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { Random } from '../../chaos/random.ts';
import { drawKills, runKills } from './run-kills.ts';

const SIDE_BY_SIDE = 2;
const FIRST_MINER = 1_000;

/** As many schedules of kills on a database of their own, by seed. Returns the number that lost or doubled something. */
export async function killMany(count: number, seed: number, say: (line: string) => void): Promise<number> {
  const child = fileURLToPath(new URL('./killed-poster.js', import.meta.url));
  const home = await mkdtemp(join(tmpdir(), 'simulate-kills-'));
  const components = { clock: systemClock, logger: createLogger('simulate', { LOG_LEVEL: 'warn' }) };
  const server = await startEmbeddedDatabase(components, { dataDir: join(home, 'database') });
  try {
    // An outbox sends whatever its database holds, so what runs side by side has schemas of its own.
    const urls: string[] = [];
    for (let index = 0; index < SIDE_BY_SIDE; index++) {
      const name = `kills_${index}`;
      const first = await openDatabase(components, { url: server.url });
      await sql.raw(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`).execute(first.kysely);
      await first.close();
      const url = server.url.replace(/\/\w+\?/, `/${name}?`);
      const db = await openDatabase(components, { url });
      await migrate(db);
      await db.close();
      urls.push(url);
    }
    const [firstUrl = server.url] = urls;
    const unkilled = await runKills({ child, databaseUrl: firstUrl, minerId: FIRST_MINER, kills: [] });
    say(`a run makes ${unkilled.statements} statements when nothing happens`);
    let failed = unkilled.problems.length > 0 ? 1 : 0;
    let kills = 0;
    let next = 0;
    const work = async (databaseUrl: string) => {
      while (next < count) {
        const index = next++;
        const random = new Random(seed + index);
        const drawn = drawKills(random, unkilled.statements);
        const minerId = FIRST_MINER + 1 + index;
        const result = await runKills({ child, databaseUrl, minerId, kills: drawn });
        kills += result.kills;
        if (result.problems.length === 0) continue;
        failed++;
        say(`seed ${seed + index}, ${JSON.stringify(drawn)}: ${result.problems.join('; ')}`);
      }
    };
    await Promise.all(urls.map(work));
    say(`${count} schedules with ${kills} kills: ${failed} lost or doubled something`);
    return failed;
  } finally {
    await server.stop();
    await rm(home, { recursive: true });
  }
}
