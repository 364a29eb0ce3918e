import { CID } from 'multiformats/cid';
import { z } from 'zod';
import { type Address, parseAddress, sameAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { type Codec, decodeCbor, encodeCbor } from '../../src/filecoin/cbor.ts';
import { MinerMethod } from '../../src/filecoin/miner-methods.ts';
import * as params from '../../src/filecoin/miner-params.ts';
import { hex, type Shape, same, shape } from './check.ts';

interface ParamsType {
  readonly method: number;
  /** Encoding of what was read from these bytes, after `read` looked at it. */
  readonly again: (bytes: Uint8Array, read: (value: unknown) => void) => Uint8Array;
}

function paramsType<T>(method: number, codec: Codec<T>): ParamsType {
  return {
    method,
    again(bytes, read) {
      const value = decodeCbor(codec, bytes);
      read(value);
      return encodeCbor(codec, value);
    },
  };
}

const types: Readonly<Record<string, ParamsType>> = {
  SubmitWindowedPoStParams: paramsType(MinerMethod.SubmitWindowedPoSt, params.submitWindowedPoStParams),
  DeclareFaultsParams: paramsType(MinerMethod.DeclareFaults, params.declareFaultsParams),
  DeclareFaultsRecoveredParams: paramsType(MinerMethod.DeclareFaultsRecovered, params.declareFaultsRecoveredParams),
  DisputeWindowedPoStParams: paramsType(MinerMethod.DisputeWindowedPoSt, params.disputeWindowedPoStParams),
  CompactPartitionsParams: paramsType(MinerMethod.CompactPartitions, params.compactPartitionsParams),
  TerminateSectorsParams: paramsType(MinerMethod.TerminateSectors, params.terminateSectorsParams),
  PreCommitSectorBatchParams2: paramsType(MinerMethod.PreCommitSectorBatch2, params.preCommitSectorBatchParams2),
  ProveCommitSectors3Params: paramsType(MinerMethod.ProveCommitSectors3, params.proveCommitSectors3Params),
  ProveReplicaUpdates3Params: paramsType(MinerMethod.ProveReplicaUpdates3, params.proveReplicaUpdates3Params),
  ExtendSectorExpiration2Params: paramsType(MinerMethod.ExtendSectorExpiration2, params.extendSectorExpiration2Params),
};

/** `json` is the Go struct as encoding/json prints it, `value` what this project reads from its CBOR. */
function sameAsGoJson(at: string, value: unknown, json: unknown): void {
  if (value instanceof Uint8Array) same(at, Buffer.from(value).toString('base64'), json ?? '');
  else if (value instanceof Bitfield) same(at, value.toJsonRuns(), json);
  else if (CID.asCID(value) !== null) same(at, { '/': String(value) }, json);
  else if (isAddress(value)) same(at, typeof json === 'string' && sameAddress(value, parseAddress(json)), true);
  else if (Array.isArray(value)) {
    const list: unknown[] = json === null ? [] : Array.isArray(json) ? json : [json];
    same(`length of ${at}`, value.length, list.length);
    for (const [index, element] of value.entries()) sameAsGoJson(`${at}[${index}]`, element, list[index]);
  } else if (typeof value === 'object' && value !== null) {
    // Go writes initialisms in capitals (DealIDs, CID), which is the only difference in names.
    const fields = new Map(Object.entries(json ?? {}).map(([name, field]) => [name.toLowerCase(), field]));
    same(
      `fields of ${at}`,
      Object.keys(value)
        .map((name) => name.toLowerCase())
        .sort(),
      [...fields.keys()].sort(),
    );
    for (const [name, field] of Object.entries(value))
      sameAsGoJson(`${at}.${name}`, field, fields.get(name.toLowerCase()));
  } else same(at, value, json);
}

function isAddress(value: unknown): value is Address {
  return typeof value === 'object' && value !== null && 'protocol' in value && 'payload' in value;
}

const schema = z.strictObject({
  name: z.string(),
  type: z.string(),
  method: z.int(),
  input: z.record(z.string(), z.unknown()),
  cborHex: hex,
});

export const cborParamsShapes: readonly Shape[] = [
  shape('vectors', ['type'], schema, (vector) => {
    const type = types[vector.type];
    if (type === undefined) throw new Error(`unknown format: type ${vector.type}`);
    same('method', type.method, vector.method);
    const encoded = type.again(vector.cborHex, (value) => sameAsGoJson(vector.type, value, vector.input));
    same('CBOR', encoded, vector.cborHex);
  }),
  shape('minerMethods', ['value'], z.strictObject({ name: z.string(), value: z.int() }), ({ name, value }) => {
    same(name, Object.entries(MinerMethod).find(([method]) => method === name)?.[1], value);
  }),
];
