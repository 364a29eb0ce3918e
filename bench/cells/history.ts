import { connectMariadb, fillHistory } from '../database.ts';
import type { Measurement } from '../records.ts';
import type { Servers } from '../servers.ts';
import { Stage } from '../stage.ts';
import { HISTORY_SCHEMA, startMaster, wdpost, wdpostWithHistory } from '../systems/wdpost.ts';
import { backlog } from './backlog.ts';
import { latency } from './latency.ts';

/** What was proven once is answered and not proven again, so each round has tasks of its own. */
const NUMBERS_PER_ROUND = 1_000_000;

/** Makes the schema with a million archived tasks. */
export async function prepareHistory(servers: Servers): Promise<void> {
  const stage = await Stage.open('history');
  try {
    await startMaster(servers, stage, { schema: HISTORY_SCHEMA });
  } finally {
    await stage.close();
  }
  const connection = await connectMariadb(servers);
  await fillHistory(connection);
  await connection.end();
}

/** Drain and latency of small tasks with an empty database and with one that has a million archived tasks. */
export async function history(
  servers: Servers,
  init: { readonly count: number; readonly seconds: number; readonly round: number },
): Promise<Measurement[]> {
  const { count, seconds, round } = init;
  const first = round * NUMBERS_PER_ROUND;
  const all: Measurement[] = [];
  for (const system of [wdpost, wdpostWithHistory]) {
    const measured = await backlog(system, servers, { body: '4KB', count, round, first });
    measured.push(await latency(system, servers, { body: '4KB', rate: 50, seconds, round, first: first + count }));
    all.push(...measured.map((one) => ({ ...one, cell: 'history', variant: `${one.cell} ${one.variant}` })));
  }
  return all;
}
