import { afterAll, beforeAll, expect, test } from 'vitest';
import { BodyCache } from '../../src/dispatch/body-cache.ts';
import { canonicalTask, taskId } from '../../src/queue/window-post-task.ts';
import { sampleTask } from '../queue/sample-task.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** Sixty-four of them fill the cache. */
const BIG = 8 * 2 ** 20;

let schema: TestDatabase;
beforeAll(async () => {
  schema = await createTestDatabase();
});
afterAll(() => schema.drop());

async function store(id: string, in_body: Buffer): Promise<void> {
  await schema.db.kysely.insertInto('tasks').values({ id, in_body, created_at: 1 }).execute();
}

test('reads the database for what is not kept, and gives up what was not used for longest', async () => {
  const bytes = canonicalTask(sampleTask(1));
  const id = taskId(bytes);
  await store(id, bytes);
  const cache = new BodyCache(schema);
  const stored = { bytes, flaw: null };
  expect(await Promise.all([id, 'missing'].map((one) => cache.get(one)))).toEqual([stored, undefined]);
  await schema.db.kysely.deleteFrom('tasks').where('id', '=', id).execute();
  expect(await cache.get(id)).toEqual(stored);

  for (let index = 0; index < 63; index++) {
    cache.put(`big ${index}`, Buffer.alloc(BIG));
    // Used again, so it stays.
    expect(await cache.get(id)).toEqual(stored);
  }
  expect(await cache.get('big 0')).toBeDefined();
  cache.put('one too many', Buffer.alloc(BIG));
  expect(await cache.get('big 1')).toBeUndefined();
  expect([await cache.get('big 2'), await cache.get(id)]).not.toContain(undefined);
  cache.forget(id);
  expect(await cache.get(id)).toBeUndefined();
});

test('a row of others under an id of their own is checked as it is read', async () => {
  await store('theirs', canonicalTask(sampleTask(2)));
  await store('broken', Buffer.from('{"miner_id":1}'));
  const cache = new BodyCache(schema);
  expect(await cache.get('theirs')).toMatchObject({ flaw: null });
  expect(await cache.get('broken')).toMatchObject({ flaw: expect.stringContaining("the task's proof_type") });
});
