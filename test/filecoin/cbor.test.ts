import { hexToBytes } from '@noble/curves/utils.js';
import { expect, test } from 'vitest';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { decodeCbor, encodeCbor } from '../../src/filecoin/cbor.ts';
import { bigInt, int, uint } from '../../src/filecoin/codecs.ts';
import {
  declareFaultsParams,
  disputeWindowedPoStParams,
  submitWindowedPoStParams,
} from '../../src/filecoin/miner-params.ts';

test('what is written is read back', () => {
  const params = {
    deadline: 47,
    partitions: [{ index: 2, skipped: Bitfield.of([5]) }],
    proofs: [{ poStProof: 13, proofBytes: new Uint8Array(192).fill(9) }],
    chainCommitEpoch: -20,
    chainCommitRand: new Uint8Array(32).fill(1),
  };
  expect(decodeCbor(submitWindowedPoStParams, encodeCbor(submitWindowedPoStParams, params))).toEqual(params);
});

test.each([
  ['a needlessly long number', '82180200'],
  ['a float', '82f9400000'],
  ['an indefinite array', '9f0200ff'],
  ['too few fields', '8102'],
  ['something behind it', '82020000'],
  ['a negative index', '820220'],
  ['text', '826132f6'],
  ['nothing', ''],
])('%s is refused', (_, hex) => {
  expect(() => decodeCbor(disputeWindowedPoStParams, hexToBytes(hex))).toThrow(
    expect.objectContaining({ code: 'bad-cbor' }),
  );
});

test('the error names the field', () => {
  expect(() => decodeCbor(disputeWindowedPoStParams, hexToBytes('83020000'))).toThrow('a list of 2 fields expected');
  expect(() => decodeCbor(declareFaultsParams, hexToBytes('8182830000408300f640'))).toThrow('faults[1].partition');
});

test('numbers above 2^53-1 are refused both ways', () => {
  const tooLarge = expect.objectContaining({ code: 'number-too-large' });
  expect(() => decodeCbor(uint, hexToBytes('1b0020000000000000'))).toThrow(tooLarge);
  expect(() => encodeCbor(int, 2 ** 53)).toThrow(tooLarge);
  expect(() => encodeCbor(bigInt, 2n ** 1016n)).toThrow(tooLarge);
});

test.each([
  ['leading zeros', '43000001'],
  ['a zero with a sign', '4100'],
  ['129 bytes', `588100${'11'.repeat(128)}`],
])('an amount with %s is refused', (_, hex) => {
  expect(() => decodeCbor(bigInt, hexToBytes(hex))).toThrow(expect.objectContaining({ code: 'bad-cbor' }));
});
