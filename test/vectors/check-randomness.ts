import { z } from 'zod';
import { windowChallenges, windowChallengesV1 } from '../../src/filecoin/challenges.ts';
import { poStProofTypeByName } from '../../src/filecoin/proof-types.ts';
import { drawRandomness, drawRandomnessFromDigest, proofSeed, RandomnessTag } from '../../src/filecoin/randomness.ts';
import { hex, integer, type Shape, same, shape } from './check.ts';

const tags = Object.values(RandomnessTag);

const challengeFields = {
  proofType: z.string(),
  sectorSize: z.int(),
  randomnessHex: hex,
  seedHex: hex,
  sectorId: integer,
  challenges: z.array(z.int()),
};
const challengeSchema = z.strictObject(challengeFields);

function checkedSeed(vector: z.output<typeof challengeSchema>, suffix: string): Uint8Array {
  const type = poStProofTypeByName(vector.proofType);
  same('sector size of the proof type', type.sectorSize, vector.sectorSize);
  same('version of the proof type', type.name.endsWith(`B${suffix}`), true);
  const seed = proofSeed(vector.randomnessHex);
  same('seed', seed, vector.seedHex);
  return seed;
}

export const randomnessShapes: readonly Shape[] = [
  shape('tags', ['value'], z.strictObject({ name: z.string(), value: z.int() }), ({ name, value }) => {
    same(name, Object.entries(RandomnessTag).find(([tag]) => tag === name)?.[1], value);
  }),
  shape(
    'vectors',
    ['tag'],
    z.strictObject({
      tag: z.int(),
      epoch: z.int(),
      baseHex: hex,
      digestHex: hex,
      entropyHex: hex,
      randomnessHex: hex,
      proofSeedHex: hex,
    }),
    ({ epoch, entropyHex, ...vector }) => {
      const tag = tags.find((known) => known === vector.tag);
      if (tag === undefined) throw new Error(`unknown format: tag ${vector.tag}`);
      const randomness = drawRandomness(vector.baseHex, tag, epoch, entropyHex);
      same('randomness', randomness, vector.randomnessHex);
      same('from the digest', drawRandomnessFromDigest(vector.digestHex, tag, epoch, entropyHex), vector.randomnessHex);
      same('proof seed', proofSeed(randomness), vector.proofSeedHex);
    },
  ),
  shape('windowV1_2', ['challenges'], challengeSchema, (vector) => {
    const seed = checkedSeed(vector, 'V1_2');
    same('challenges', windowChallenges(seed, vector.sectorId, vector.sectorSize), vector.challenges);
  }),
  shape('windowV1', ['challenges'], z.strictObject({ ...challengeFields, position: z.int() }), (vector) => {
    const seed = checkedSeed(vector, 'V1');
    same(
      'challenges',
      windowChallengesV1(seed, vector.sectorId, vector.sectorSize, vector.position),
      vector.challenges,
    );
  }),
];
