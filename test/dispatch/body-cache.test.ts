import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BodyCache } from '../../src/dispatch/body-cache.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const MEBIBYTE = 2 ** 20;

let schema: TestDatabase;
beforeAll(async () => {
  schema = await createTestDatabase();
});
afterAll(() => schema.drop());

test('reads the database for what is not kept, and gives up what was not used for longest', async () => {
  const stored = randomBytes(5_000);
  await schema.db.kysely.insertInto('tasks').values({ id: 'stored', in_body: stored, created_at: 1 }).execute();
  const cache = new BodyCache(schema);
  expect(await Promise.all(['stored', 'missing'].map((id) => cache.get(id)))).toEqual([stored, undefined]);
  await schema.db.kysely.deleteFrom('tasks').where('id', '=', 'stored').execute();
  expect(await cache.get('stored')).toEqual(stored);

  for (let index = 0; index < 63; index++) {
    cache.put(`big ${index}`, Buffer.alloc(MEBIBYTE));
    // Used again, so it stays.
    expect(await cache.get('stored')).toEqual(stored);
  }
  expect(await cache.get('big 0')).toBeDefined();
  cache.put('one too many', Buffer.alloc(MEBIBYTE));
  expect(await cache.get('big 1')).toBeUndefined();
  expect([await cache.get('big 2'), await cache.get('stored')]).not.toContain(undefined);
  cache.forget('stored');
  expect(await cache.get('stored')).toBeUndefined();
});
