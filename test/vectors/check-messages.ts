import { z } from 'zod';
import { formatAddress, parseAddress, sameAddress } from '../../src/filecoin/address.ts';
import { decodeCbor, encodeCbor } from '../../src/filecoin/cbor.ts';
import { bigInt } from '../../src/filecoin/codecs.ts';
import * as chain from '../../src/filecoin/message.ts';
import {
  messageFromJson,
  messageToJson,
  signedMessageFromJson,
  signedMessageToJson,
} from '../../src/filecoin/message-json.ts';
import {
  addressOfKey,
  formatKeyInfo,
  parseKeyInfo,
  publicKeyOf,
  recoverSigner,
  signDigest,
} from '../../src/filecoin/secp256k1.ts';
import { hex, refused, type Shape, same, shape } from './check.ts';

const fields = {
  name: z.string(),
  message: z.strictObject({
    Version: z.int(),
    To: z.string(),
    From: z.string(),
    Nonce: z.int(),
    Value: z.string(),
    GasLimit: z.int(),
    GasFeeCap: z.string(),
    GasPremium: z.string(),
    Method: z.int(),
    Params: z.string().nullable(),
    CID: z.strictObject({ '/': z.string() }),
  }),
  cborHex: hex,
  cid: z.string(),
  cidHex: hex,
  /** Bytes of the message as it stands on the chain: with its signature where that is not aggregated away. */
  chainLength: z.int(),
};
const signedFields = { ...fields, signatureHex: hex, signedCborHex: hex, signedCid: z.string() };
const unsignedSchema = z.strictObject(fields);
const blsSchema = z.strictObject(signedFields);
const secpSchema = z.strictObject({
  ...signedFields,
  privateKeyHex: hex,
  publicKeyHex: hex,
  address: z.string(),
  digestHex: hex,
  signatureCborHex: hex,
  keyInfoHex: z.string(),
});

function checkUnsigned(vector: z.output<typeof unsignedSchema>): chain.Message {
  const message = messageFromJson(vector.message);
  same('CBOR', chain.encodeMessage(message), vector.cborHex);
  same('CBOR written again', chain.encodeMessage(chain.decodeMessage(vector.cborHex)), vector.cborHex);
  same('CID', chain.messageCid(message).toString(), vector.cid);
  same('CID bytes', chain.messageCid(message).bytes, vector.cidHex);
  same('length', chain.encodeMessage(message).length, vector.chainLength);
  // An absent and an empty list of bytes encode alike; null is what this project writes.
  const network = vector.message.To.startsWith('f') ? 'f' : 't';
  const json = { ...vector.message, Params: vector.message.Params === '' ? null : vector.message.Params };
  same('JSON', messageToJson(chain.decodeMessage(vector.cborHex), network), json);
  return message;
}

function checkSigned(vector: z.output<typeof blsSchema>, signature: chain.Signature): void {
  const signed = { message: messageFromJson(vector.message), signature };
  same('signed CBOR', chain.encodeSignedMessage(signed), vector.signedCborHex);
  const decoded = chain.decodeSignedMessage(vector.signedCborHex);
  same('signature', decoded.signature, signature);
  same('signed CBOR written again', chain.encodeSignedMessage(decoded), vector.signedCborHex);
  same('signed CID', chain.signedMessageCid(signed).toString(), vector.signedCid);
  const fromJson = signedMessageFromJson(signedMessageToJson(signed));
  same('signed CBOR through JSON', chain.encodeSignedMessage(fromJson), vector.signedCborHex);
}

function checkSecp256k1(vector: z.output<typeof secpSchema>): void {
  const message = checkUnsigned(vector);
  const digest = chain.signingDigest(message);
  same('digest', digest, vector.digestHex);
  same('public key', publicKeyOf(vector.privateKeyHex), vector.publicKeyHex);
  const signer = addressOfKey(vector.privateKeyHex);
  same('address', formatAddress(signer, vector.address.startsWith('f') ? 'f' : 't'), vector.address);
  same('signer is the sender', sameAddress(signer, parseAddress(vector.message.From)), true);
  const data = signDigest(digest, vector.privateKeyHex);
  same('signature', data, vector.signatureHex);
  same('recovered signer', sameAddress(recoverSigner(digest, vector.signatureHex), signer), true);
  same('signature CBOR', chain.encodeSignature({ type: 'secp256k1', data }), vector.signatureCborHex);
  same('key info', formatKeyInfo(vector.privateKeyHex), vector.keyInfoHex);
  same('key of key info', parseKeyInfo(vector.keyInfoHex), vector.privateKeyHex);
  checkSigned(vector, { type: 'secp256k1', data });
}

const invalidSchema = z.strictObject({ name: z.string(), cborHex: hex, error: z.string() });
const decimal = z.string().regex(/^-?[0-9]+$/);

export const messageShapes: readonly Shape[] = [
  shape('unsigned', ['message'], unsignedSchema, (vector) => void checkUnsigned(vector)),
  shape('secp256k1', ['message'], secpSchema, checkSecp256k1),
  shape('bls', ['message'], blsSchema, (vector) => {
    checkUnsigned(vector);
    checkSigned(vector, { type: 'bls', data: vector.signatureHex });
  }),
  shape('bigInts', ['cborHex'], z.strictObject({ text: decimal, cborHex: hex }), ({ text, cborHex }) => {
    same('CBOR', encodeCbor(bigInt, BigInt(text)), cborHex);
    same('number', decodeCbor(bigInt, cborHex).toString(), text);
  }),
  shape('invalidBigInts', ['cborHex'], invalidSchema, ({ cborHex }) => {
    refused('amount', () => decodeCbor(bigInt, cborHex));
  }),
  shape('invalidMessages', ['cborHex'], invalidSchema, ({ cborHex }) => {
    refused('message', () => chain.encodeMessage(chain.decodeMessage(cborHex)));
  }),
];
