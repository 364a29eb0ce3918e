import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MessagesTable } from '../../src/database/tables/outbox.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { declaredSectors, storeRecovery } from '../../src/poster/recovery-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const window = { minerId: 1000, deadline: 3, open: 5000 };

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

function declare(height: number, ...sectors: number[]) {
  return storeRecovery(test.db, {
    minerId: window.minerId,
    sender: idAddress(100),
    maxFee: 1n,
    confidence: 1,
    recoveries: [{ deadline: window.deadline, partition: 0, open: window.open, sectors: Bitfield.of(sectors) }],
    height,
    now: 0,
  });
}

async function declaredAt(height: number): Promise<number[]> {
  return [...(await declaredSectors(test.db.kysely, window, height))];
}

async function messageBecomes(
  id: string | undefined,
  state: MessagesTable['state'],
  height: number | null,
): Promise<void> {
  await test.db.kysely
    .updateTable('messages')
    .set({ state, height })
    .where('id', '=', id ?? '')
    .execute();
}

it('declares nothing twice, until the chain itself can tell', async () => {
  const first = await declare(4000, 1, 2);
  expect(first?.sectors).toBe(2);
  expect((await declare(4001, 2, 3))?.sectors).toBe(1);
  expect(await declare(4002, 1, 2, 3)).toBeUndefined();

  await messageBecomes(first?.messageId, 'landed', 4010);
  expect(await declaredAt(4011)).toEqual([1, 2, 3]);
  expect(await declare(4011, 1)).toBeUndefined();

  // The chain still calls sector 1 faulty: a reorganisation put the declaration before the fault, where it did nothing.
  expect(await declaredAt(4012)).toEqual([3]);
  const again = await declare(4012, 1, 3);
  expect(again?.sectors).toBe(1);

  for (const state of ['failed', 'refused', 'expired'] as const) {
    await messageBecomes(again?.messageId, state, null);
    expect(await declaredAt(4013)).toEqual([3]);
  }
});
