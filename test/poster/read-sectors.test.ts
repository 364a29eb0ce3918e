import { expect, it } from 'vitest';
import type { RehearsalFault } from '../../src/ext-processor/rehearser.ts';
import { sealedCid } from '../../src/filecoin/cid.ts';
import { readSectors } from '../../src/poster/read-sectors.ts';
import type { SectorCheck } from '../../src/stores/sector-check.ts';

const stores = ['a', 'b', 'c'];

/** Every sector has a copy in each store; `/a/1` is the sealed file of sector 1 in store a. */
function reader(faults: Readonly<Record<string, RehearsalFault>>) {
  const read: string[][] = [];
  const components = {
    checker: {
      check: async ({
        sectors,
      }: {
        sectors: readonly { number: number; corrupt?: readonly { sealedFile: string }[] }[];
      }) =>
        sectors.map(({ number, corrupt = [] }): SectorCheck => {
          const store = stores.find((name) => !corrupt.some(({ sealedFile }) => sealedFile === `/${name}/${number}`));
          if (store === undefined) return { ...copyOf('a', number), store: 'a', verdict: 'corrupt', reason: 'tried' };
          return { ...copyOf(store, number), store, verdict: 'good' };
        }),
    },
    rehearser: {
      faults: async ({ replicas }: { replicas: readonly { sector_id: number; sealed_file: string }[] }) => {
        read.push(replicas.map((replica) => replica.sealed_file));
        return new Map(
          replicas.flatMap(({ sector_id, sealed_file }) => {
            const fault = faults[sealed_file];
            return fault === undefined ? [] : [[sector_id, fault] as const];
          }),
        );
      },
    },
  };
  const sectors = [1, 2, 3].map((number) => ({
    number,
    sealProof: 5,
    sealedCid: sealedCid(new Uint8Array(32)),
    sectorKeyCid: null,
    expiration: 1,
  }));
  const signal = new AbortController().signal;
  return { read, readings: readSectors(components, { minerId: 1000, proofType: 10, sectors, signal }) };
}

const copyOf = (store: string, number: number) => {
  return { number, sealedFile: `/${store}/${number}`, cacheDir: `/${store}/c${number}` };
};
const bad: RehearsalFault = { class: 'bad', reason: 'its data is not its own' };

it('reads the other copies of what gives no proof, and nothing twice', async () => {
  const { read, readings } = reader({ '/a/1': bad, '/a/2': bad, '/b/2': bad, '/c/2': bad });
  expect(await readings).toEqual([
    { ...copyOf('b', 1), store: 'b', verdict: 'good' },
    { number: 2, verdict: 'corrupt', reason: bad.reason },
    { ...copyOf('a', 3), store: 'a', verdict: 'good' },
  ]);
  expect(read).toEqual([['/a/1', '/a/2', '/a/3'], ['/b/1', '/b/2'], ['/c/2']]);
});

it('calls unknown what a store gave no answer of', async () => {
  const unknown: RehearsalFault = { class: 'unknown', reason: 'EIO' };
  const { readings } = reader({ '/a/1': bad, '/b/1': unknown, '/a/2': unknown });
  expect((await readings).map(({ verdict }) => verdict)).toEqual(['unknown', 'unknown', 'good']);
});
