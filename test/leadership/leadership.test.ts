import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { isUnmet } from '../../src/database/together.ts';
import { isMasterLive } from '../../src/leadership/is-master-live.ts';
import { Leadership } from '../../src/leadership/leadership.ts';
import type { Role } from '../../src/leadership/leadership-row.ts';
import { prepareSubmission } from '../../src/queue/prepare-submission.ts';
import { submitTasks } from '../../src/queue/submit-tasks.ts';
import { sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';
import { silentLogger } from '../support/silent-logger.ts';

let schema: TestDatabase;
const masters: Leadership[] = [];
beforeEach(async () => {
  schema = await createTestDatabase();
});
afterEach(async () => {
  for (const master of masters.splice(0)) await master.close();
  await schema.drop();
});

/** Looks when told; the pauses between are counted on a clock of its own. */
class LookClock {
  #now = 0;
  readonly pauses = new EventQueue<{ readonly ms: number; readonly pass: () => void }>();

  readonly now = () => this.#now;
  readonly monotonic = () => this.#now;
  readonly after = () => () => {};

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const pass = () => {
        this.#now += ms;
        resolve();
      };
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.pauses.push({ ms, pass });
    });
  }

  stand(ms: number): void {
    this.#now += ms;
  }
}

interface TestMaster {
  readonly leadership: Leadership;
  readonly clock: LookClock;
  readonly events: EventQueue<string>;
  /** The fenced database of the newest reign. */
  db(): Database;
  /** Lets it look once more; resolves after that. */
  look(): Promise<void>;
}

async function start(name: string, role: Role = 'master', database = schema.db): Promise<TestMaster> {
  const clock = new LookClock();
  const events = new EventQueue<string>();
  let fenced: Database | undefined;
  const leadership = new Leadership(
    { clock, logger: silentLogger, db: database },
    {
      role,
      name,
      address: `${name}.example:4698`,
      async onLead(db) {
        fenced = db;
        events.push('leads');
      },
      async onLost() {
        events.push('lost');
      },
    },
  );
  masters.push(leadership);
  await leadership.start();
  let pause = await clock.pauses.next();
  return {
    leadership,
    clock,
    events,
    db() {
      if (fenced === undefined) throw new Error(`${name} never led`);
      return fenced;
    },
    async look() {
      pause.pass();
      pause = await clock.pauses.next();
      await leadership.settled();
    },
  };
}

/** Looks until a leader that last wrote before the look before has been silent for four of six seconds. */
async function nearlyMiss({ look }: TestMaster): Promise<void> {
  await look();
  await look();
}

/** As if the database's clock were set by so much since the master wrote. */
async function setClock(name: string, ms: number): Promise<void> {
  await schema.db.kysely
    .updateTable('masters')
    .set({ seen_at: sql<number>`seen_at - ${ms}` })
    .where('name', '=', name)
    .execute();
}

async function row() {
  return await schema.db.kysely.selectFrom('leadership').select(['epoch', 'master']).executeTakeFirstOrThrow();
}

async function lockWaits(): Promise<number> {
  const { rows } = await sql`SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'`.execute(
    schema.db.kysely,
  );
  return rows.length;
}

const write = (db: Database) =>
  db.transaction((trx) =>
    trx.insertInto('proving_seeds').values({ miner_id: 1, seed: 'aa', first_seen_at: 1 }).execute(),
  );
const writeAtOnce = (db: Database) =>
  db.wholeTransaction([sql`INSERT INTO proving_seeds (miner_id, seed, first_seen_at) VALUES (2, 'bb', 1)`]);
const written = async () => (await schema.db.kysely.selectFrom('proving_seeds').selectAll().execute()).length;

test('the first master leads at once, the second stands by and knows where the first is', async () => {
  const first = await start('first');
  expect(await first.events.next()).toBe('leads');
  expect(first.leadership.leader).toBeUndefined();
  const second = await start('second');
  expect(second.events.size).toBe(0);
  expect(second.leadership.leader).toBe('first.example:4698');
  expect(await row()).toEqual({ epoch: 1, master: 'first' });
});

test('masters and managers lead side by side, also where they share a name', async () => {
  const master = await start('same', 'master');
  const manager = await start('same', 'manager');
  expect([await master.events.next(), await manager.events.next()]).toEqual(['leads', 'leads']);
  await setClock('same', 60_000);
  const next = await start('next', 'manager');
  await next.look();
  expect(next.events.size).toBe(0);
  await write(master.db());
  expect(await row()).toEqual({ epoch: 1, master: 'same' });
  expect(next.leadership.leader).toBe('same.example:4698');
});

test('of many that start at once one leads', async () => {
  const started = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => start(name)));
  expect(started.filter((master) => master.events.size > 0)).toHaveLength(1);
  expect((await row()).epoch).toBe(1);
});

test('a leader that is not heard of for six seconds is replaced, and can write nothing any more', async () => {
  const first = await start('first');
  const second = await start('second');
  await nearlyMiss(second);
  expect(second.events.size).toBe(0);
  await second.look();
  expect(await second.events.next()).toBe('leads');
  expect(await row()).toEqual({ epoch: 2, master: 'second' });

  await expect(write(first.db())).rejects.toMatchObject({ code: 'not-leading' });
  await expect(writeAtOnce(first.db())).rejects.toSatisfy(isUnmet);
  // As a batch, too, which is sent whole.
  const task = prepareSubmission({ task: sampleTask(1), closeAt: null });
  await expect(submitTasks(first.db(), [{ task, slave: 'slave' }])).rejects.toMatchObject({ code: 'not-leading' });
  expect(await written()).toBe(0);
  await write(second.db());
  expect(await written()).toBe(1);
  await writeAtOnce(second.db());
  expect(await written()).toBe(2);
  // That it was refused made it look at once.
  expect(await first.events.until((event) => event === 'lost')).toBe('lost');
  expect(first.leadership.leader).toBe('second.example:4698');
});

test('a leader that is gone is missed on time: the pauses shorten towards the end of its silence', async () => {
  await start('first');
  const second = await start('second');
  await nearlyMiss(second);
  second.clock.stand(1_500);
  second.leadership.check();
  const { ms } = await second.clock.pauses.next();
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThanOrEqual(500);
});

test('a transaction that began while its master led is committed before another can take the lead', async () => {
  const first = await start('first');
  const second = await start('second');
  const inside = new EventQueue<true>();
  const goOn = new EventQueue<true>();
  const writing = first.db().transaction(async (trx) => {
    inside.push(true);
    await goOn.next();
    await trx.insertInto('proving_seeds').values({ miner_id: 1, seed: 'aa', first_seen_at: 1 }).execute();
  });
  await inside.next();
  await nearlyMiss(second);
  const taking = second.look();
  // The server looks anew only when it was not asked for 0.1 s.
  await expect.poll(lockWaits, { interval: 200, timeout: 3_000 }).toBeGreaterThan(0);
  goOn.push(true);
  await writing;
  await taking;
  expect(await second.events.next()).toBe('leads');
  expect(await written()).toBe(1);
});

test('a leader that stands still inside a transaction does not hold the lead with it', async () => {
  const first = await start('first');
  const second = await start('second');
  const inside = new EventQueue<true>();
  const goOn = new EventQueue<true>();
  const standing = first.db().transaction(async (trx) => {
    inside.push(true);
    await goOn.next();
    await trx.insertInto('proving_seeds').values({ miner_id: 1, seed: 'aa', first_seen_at: 1 }).execute();
  });
  await inside.next();
  await nearlyMiss(second);
  await second.look();
  expect(await second.events.next()).toBe('leads');
  goOn.push(true);
  await expect(standing).rejects.toMatchObject({ code: 'database-unavailable' });
  expect(await written()).toBe(0);
});

test('a master that stops resigns, and the next look of another takes over', async () => {
  const first = await start('first');
  const second = await start('second');
  await first.leadership.close();
  expect(await first.events.until((event) => event === 'lost')).toBe('lost');
  await second.look();
  expect(await second.events.next()).toBe('leads');
});

test('the same name leads at once after a crash', async () => {
  await start('first');
  await start('second');
  const again = await start('first');
  expect(await again.events.next()).toBe('leads');
  expect((await row()).epoch).toBe(2);
});

test('of two processes with one name the younger leads, and the elder takes over when that is silent', async () => {
  const elder = await start('same');
  await elder.events.next();
  const younger = await start('same');
  expect(await younger.events.next()).toBe('leads');
  await elder.look();
  expect(await elder.events.next()).toBe('lost');
  await elder.look();
  await younger.look();
  expect(elder.events.size + younger.events.size).toBe(0);
  await elder.look();
  await nearlyMiss(elder);
  await elder.look();
  expect(await elder.events.next()).toBe('leads');
  await elder.look();
  expect(await row()).toMatchObject({ epoch: 3, master: 'same' });
});

test('after a gap of its own a standby gives the leader time to be heard again', async () => {
  const first = await start('first');
  const second = await start('second');
  // The database was away for both.
  second.clock.stand(30_000);
  await setClock('first', 30_000);
  await second.look();
  expect(second.events.size).toBe(0);
  await first.look();
  await second.look();
  expect(second.events.size).toBe(0);
  await nearlyMiss(second);
  await second.look();
  expect(await second.events.next()).toBe('leads');
});

test('a leader that died as the clock of the database was set back is replaced as fast as any', async () => {
  await start('first');
  const second = await start('second');
  await setClock('first', -600_000);
  expect(await isMasterLive(schema.db, 'first')).toBe(false);
  await second.look();
  // So is one that another process meets only then.
  const third = await start('third');
  await Promise.all([nearlyMiss(second), nearlyMiss(third)]);
  expect(second.events.size + third.events.size).toBe(0);
  await third.look();
  expect(await third.events.next()).toBe('leads');
  await second.look();
  expect(second.leadership.leader).toBe('third.example:4698');
});

test('a leader that lives is not replaced because the clock of the database was set ahead', async () => {
  const first = await start('first');
  const second = await start('second');
  expect(await isMasterLive(schema.db, 'first')).toBe(true);
  await setClock('first', 600_000);
  await second.look();
  await first.look();
  await nearlyMiss(second);
  expect(second.events.size).toBe(0);
});

test('leading that fails is given back and tried again', async () => {
  const clock = new LookClock();
  const events = new EventQueue<string>();
  let failures = 0;
  const leadership = new Leadership(
    { clock, logger: silentLogger, db: schema.db },
    {
      role: 'master',
      name: 'first',
      address: 'first.example:4698',
      async onLead() {
        if (failures++ === 0) throw new Error('the tables are away');
        events.push('leads');
      },
      async onLost() {
        events.push('lost');
      },
    },
  );
  masters.push(leadership);
  await leadership.start();
  expect(await events.next()).toBe('lost');
  (await clock.pauses.next()).pass();
  expect(await events.next()).toBe('leads');
  expect((await row()).epoch).toBe(2);
});

test('a database restored from before still finds one leader', async () => {
  const first = await start('first');
  await schema.db.kysely.updateTable('leadership').set({ epoch: 0, master: '' }).execute();
  await schema.db.kysely.deleteFrom('masters').execute();
  await first.look();
  expect(await first.events.next()).toBe('leads');
  expect(await first.events.next()).toBe('lost');
  expect(await first.events.next()).toBe('leads');
  await write(first.db());
  expect(await written()).toBe(1);
});
