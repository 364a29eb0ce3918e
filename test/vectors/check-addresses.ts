import { concatBytes } from '@noble/curves/utils.js';
import { z } from 'zod';
import {
  type Address,
  actorId,
  addressFromBytes,
  addressToBytes,
  formatAddress,
  idAddress,
  parseAddress,
  proverId,
  sameAddress,
} from '../../src/filecoin/address.ts';
import { decodeCbor, encodeCbor } from '../../src/filecoin/cbor.ts';
import { address as codec } from '../../src/filecoin/codecs.ts';
import { decodeUvarint } from '../../src/filecoin/uvarint.ts';
import { hex, integer, refused, type Shape, same, shape } from './check.ts';

const KINDS = ['id', 'secp256k1', 'actor', 'bls', 'delegated'] as const;

const fields = {
  protocol: z.int(),
  kind: z.enum(KINDS),
  f: z.string(),
  t: z.string(),
  payloadHex: hex,
  bytesHex: hex,
  cborHex: hex,
  id: integer.optional(),
  proverIdHex: hex.optional(),
  namespace: integer.optional(),
  subaddressHex: hex.optional(),
};
const schema = z.strictObject(fields);

function checkAddress(address: Address, vector: z.output<typeof schema>): void {
  same('protocol', address.protocol, vector.protocol);
  same('kind', KINDS[address.protocol], vector.kind);
  same('payload', address.payload, vector.payloadHex);
  same('text with f', formatAddress(address, 'f'), vector.f);
  same('text with t', formatAddress(address), vector.t);
  same('bytes', addressToBytes(address), vector.bytesHex);
  same('CBOR', encodeCbor(codec, address), vector.cborHex);
  if (address.protocol === 4 && vector.subaddressHex !== undefined) {
    const { value, length } = decodeUvarint(address.payload);
    same('namespace', value, vector.namespace);
    same('subaddress', address.payload.subarray(length), vector.subaddressHex);
  }
  if (address.protocol === 0) {
    same('id', actorId(address), vector.id);
    same('prover id', proverId(address), vector.proverIdHex);
    same('address of the id', sameAddress(idAddress(actorId(address)), address), true);
  } else {
    same('fields of an id', [vector.id, vector.proverIdHex], [undefined, undefined]);
    refused('id', () => actorId(address));
    refused('prover id', () => proverId(address));
  }
}

const text = { name: z.string(), text: z.string() };

export const addressShapes: readonly Shape[] = [
  shape('valid', ['payloadHex'], schema, (vector) => {
    for (const address of [
      parseAddress(vector.f),
      parseAddress(vector.t),
      addressFromBytes(vector.bytesHex),
      addressFromBytes(concatBytes(Uint8Array.of(vector.protocol), vector.payloadHex)),
      decodeCbor(codec, vector.cborHex),
    ]) {
      checkAddress(address, vector);
    }
  }),
  shape('invalid', ['text', 'error'], z.strictObject({ ...text, error: z.string() }), (vector) => {
    refused('address', () => parseAddress(vector.text));
  }),
  // Read as the reference reads them, printed only in the canonical form.
  shape('lenient', ['text'], z.strictObject({ ...text, ...fields }), (vector) => {
    checkAddress(parseAddress(vector.text), vector);
  }),
  shape('invalidCbor', ['cborHex'], z.strictObject({ name: z.string(), cborHex: hex, error: z.string() }), (vector) => {
    refused('CBOR', () => decodeCbor(codec, vector.cborHex));
  }),
];
