import type { CID } from 'multiformats/cid';
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../src/filecoin/cbor.ts';
import { cidFromBytes, commDFromCid, commRFromCid, parseCid, sealedCid, unsealedCid } from '../../src/filecoin/cid.ts';
import { cid as codec } from '../../src/filecoin/codecs.ts';
import { zeroCommitment } from '../../src/filecoin/zero-commitment.ts';
import { hex, refused, type Shape, same, shape } from './check.ts';

const conversions = {
  sealed: { toCid: sealedCid, toCommitment: commRFromCid },
  unsealed: { toCid: unsealedCid, toCommitment: commDFromCid },
} as const;

const fields = {
  kind: z.enum(['sealed', 'unsealed']),
  commitmentHex: hex,
  cid: z.string(),
  cidHex: hex,
  cborHex: hex,
};
const schema = z.strictObject(fields);

function checkCommitment(vector: z.output<typeof schema>): void {
  const { toCid, toCommitment } = conversions[vector.kind];
  const other = conversions[vector.kind === 'sealed' ? 'unsealed' : 'sealed'];
  const readings: CID[] = [
    toCid(vector.commitmentHex),
    parseCid(vector.cid),
    cidFromBytes(vector.cidHex),
    decodeCbor(codec, vector.cborHex),
  ];
  for (const cid of readings) {
    same('text', cid.toString(), vector.cid);
    same('bytes', cid.bytes, vector.cidHex);
    same('CBOR', encodeCbor(codec, cid), vector.cborHex);
    same('commitment', toCommitment(cid), vector.commitmentHex);
    refused('the other kind', () => other.toCommitment(cid));
  }
}

function succeedsUnless(error: string, what: string, read: () => unknown): void {
  if (error === '') read();
  else refused(what, read);
}

export const cidShapes: readonly Shape[] = [
  shape('valid', ['commitmentHex'], schema, checkCommitment),
  shape('zeroSectors', ['commitmentHex'], z.strictObject({ ...fields, sectorSize: z.int() }), (vector) => {
    checkCommitment(vector);
    same('commitment to zeros', zeroCommitment(vector.sectorSize), vector.commitmentHex);
  }),
  shape(
    'invalid',
    ['parseError'],
    z.strictObject({
      name: z.string(),
      text: z.string(),
      parseError: z.string(),
      asSealedError: z.string(),
      asUnsealedError: z.string(),
    }),
    (vector) => {
      if (vector.parseError !== '') {
        refused('CID', () => parseCid(vector.text));
        return;
      }
      const cid = parseCid(vector.text);
      same('text', cid.toString(), vector.text);
      succeedsUnless(vector.asSealedError, 'sealed commitment', () => commRFromCid(cid));
      succeedsUnless(vector.asUnsealedError, 'unsealed commitment', () => commDFromCid(cid));
    },
  ),
];
