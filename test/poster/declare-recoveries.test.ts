import { CID } from 'multiformats/cid';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import type { TipSet } from '../../src/chain/tipset.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { Rehearser } from '../../src/ext-processor/rehearser.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { decodeCbor } from '../../src/filecoin/cbor.ts';
import { deadlineAt } from '../../src/filecoin/deadline.ts';
import { declareFaultsRecoveredParams } from '../../src/filecoin/miner-params.ts';
import type { MinerSettings, PosterComponents } from '../../src/poster/components.ts';
import { RecoveryDeclarer } from '../../src/poster/declare-recoveries.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** Begins deadline 0 at epoch 0; the cutoff of the next window of deadline 5 is at 230. */
const HEIGHT = 100;
const CUTOFF_5 = 230;

let database: TestDatabase;
let stopping: AbortController;
beforeEach(async () => {
  database = await createTestDatabase();
  stopping = new AbortController();
});
afterEach(() => database.drop());

const sealedCid = CID.parse('bagboea4b5abcam5jsy3fkl7wd2b4kbqyuvvhtxuowwsrbiqf2jkhtfcjibwxnyei');

/** Sector 10·d + p is faulty in partition p of deadline d, where it is listed. */
function declarerOf(faulty: Readonly<Record<number, readonly number[]>>, rehearse: Rehearser['faults']) {
  const chain = {
    partitions: async (_, deadline) => {
      const partitions = faulty[deadline] ?? [];
      if (partitions.includes(-1)) throw new Error('the node does not answer');
      return partitions.map((partition) => {
        const some = Bitfield.of([10 * deadline + partition]);
        return { all: some, live: some, faulty: some, recovering: Bitfield.empty, active: Bitfield.empty };
      });
    },
    sectors: async (_, numbers) =>
      [...(numbers ?? [])].map((number) => ({
        number,
        sealProof: 5,
        sealedCid,
        sectorKeyCid: null,
        expiration: 9_999,
      })),
    minerInfo: async () => ({ windowPoStProofType: 10, consensusFaultElapsed: -1 }),
    minerAvailableBalance: async () => 0n,
  } as Partial<{ [K in keyof Chain]: (...args: Parameters<Chain[K]>) => unknown }>;
  const components = {
    clock: systemClock,
    logger: silentLogger,
    alerts: new RecordedAlerts(),
    chain: chain as unknown as Chain,
    db: database.db,
    checker: {
      check: async ({ sectors }) =>
        sectors.map(({ number }) => ({ number, verdict: 'good', store: 'a', sealedFile: '/s', cacheDir: '/c' })),
    },
    rehearser: { faults: rehearse },
    onIntent: () => {},
  } satisfies Partial<PosterComponents> as unknown as PosterComponents;
  const miner = {
    minerId: 1001,
    address: idAddress(1001),
    sender: idAddress(100),
    messageConfidence: 3,
    maxRecoveryFee: 7n,
    firstRunGate: false,
    maxRecoverSectors: 0,
    maxPartitionsPerRecovery: 0,
  } satisfies Partial<MinerSettings> as unknown as MinerSettings;
  const declarer = new RecoveryDeclarer(components, { miner, signal: stopping.signal });
  const onHead = (height: number) => {
    const head: TipSet = { key: ['head'], height, minTimestamp: height };
    declarer.onHead(head, deadlineAt(0, height));
  };
  return { declarer, onHead };
}

/** Sectors of each message, in their order. */
async function declared(): Promise<number[][]> {
  const rows = await database.db.kysely.selectFrom('messages').select('params').orderBy('position').execute();
  return rows.map(({ params }) =>
    decodeCbor(declareFaultsRecoveredParams, Uint8Array.from(params ?? [])).recoveries.flatMap((one) => [
      ...one.sectors,
    ]),
  );
}

async function declaredMessages(count: number): Promise<number[][]> {
  for (;;) {
    const messages = await declared();
    if (messages.length >= count) return messages;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Reads for ever, until called off. */
const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

test('a deadline that fails and one whose reads take for ever hold up no other', async () => {
  const { declarer, onHead } = declarerOf({ 5: [0], 6: [-1], 7: [0], 8: [0] }, async ({ replicas }, signal) =>
    replicas[0]?.sector_id === 50 ? await never(signal) : new Map(),
  );
  onHead(HEIGHT);
  expect((await declaredMessages(2)).toSorted()).toEqual([[70], [80]]);
  stopping.abort();
  await declarer.idle();
});

test('what was read does not wait for the rest of its deadline for ever, and nothing is read past the cutoff', async () => {
  let isReading = () => {};
  const reading = new Promise<void>((resolve) => {
    isReading = resolve;
  });
  const { declarer, onHead } = declarerOf({ 5: [0, 1, 2] }, async ({ replicas }, signal) => {
    if (replicas[0]?.sector_id !== 51) return new Map();
    isReading();
    return await never(signal);
  });
  onHead(HEIGHT);
  await reading;
  onHead(HEIGHT + 9);
  expect(await declared()).toEqual([]);
  onHead(HEIGHT + 10);
  expect(await declaredMessages(1)).toEqual([[50]]);
  // The read that hangs is called off, and nothing more can be declared.
  onHead(CUTOFF_5);
  await declarer.idle();
  expect(await declared()).toEqual([[50]]);
});

test('what was read within some epochs is declared together', async () => {
  let onReading = () => {};
  const reading = new Promise<void>((resolve) => {
    onReading = resolve;
  });
  let goOn = () => {};
  const going = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const { declarer, onHead } = declarerOf({ 5: [0, 1, 2] }, async ({ replicas }) => {
    if (replicas[0]?.sector_id === 51) {
      onReading();
      await going;
    }
    return new Map();
  });
  onHead(HEIGHT);
  await reading;
  onHead(HEIGHT + 9);
  goOn();
  await declarer.idle();
  expect(await declared()).toEqual([[50, 51, 52]]);
});
