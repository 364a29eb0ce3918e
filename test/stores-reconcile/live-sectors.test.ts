import { CID } from 'multiformats/cid';
import { expect, test } from 'vitest';
import { idAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { liveSectors, wantedOf } from '../../src/stores/reconcile/live-sectors.ts';

const cid = CID.parse('bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz');
const none = Bitfield.of([]);

test('every live sector of every partition, and which of them the chain calls upgraded', async () => {
  const partition = (...live: number[]) => ({
    all: none,
    faulty: none,
    recovering: none,
    live: Bitfield.of(live),
    active: none,
  });
  const partitions = [[partition(1, 2), partition()], [partition(7)]];
  const asked: number[][] = [];
  const live = await liveSectors(
    {
      head: async () => ({ key: ['a'], height: 1, minTimestamp: 1 }),
      minerInfo: async () => ({
        owner: idAddress(1),
        worker: idAddress(1),
        controlAddresses: [],
        sectorSize: 2048,
        windowPoStProofType: 5,
        windowPoStPartitionSectors: 2,
        consensusFaultElapsed: -1,
      }),
      deadlines: async () => partitions.map(() => ({ postSubmissions: none, disputableProofCount: 0 })),
      partitions: async (_, deadline) => partitions[deadline] ?? [],
      sectors: async (_, numbers) => {
        asked.push([...(numbers ?? none)]);
        return [...(numbers ?? none)].map((number) => ({
          number,
          sealProof: 5,
          sealedCid: cid,
          sectorKeyCid: number === 2 ? cid : null,
          expiration: 9,
        }));
      },
    },
    idAddress(1000),
  );
  expect(asked).toEqual([[1, 2], [7]]);
  expect([...wantedOf(live, false)]).toEqual([1, 7]);
  expect([...wantedOf(live, true)]).toEqual([2]);
});
