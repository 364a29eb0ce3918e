import { z } from 'zod';
import { errorText } from '../errors/coded-error.ts';
import { parseAddress } from '../filecoin/address.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import { parseCid } from '../filecoin/cid.ts';
import type { TipSetKey } from './tipset.ts';

// How values stand in Lotus' JSON.

/** A transform whose CodedErrors become issues with the path of the value. */
export function readWith<In, Out>(read: (value: In) => Out) {
  return (value: In, context: z.core.$RefinementCtx<In>): Out => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: errorText(error) });
      return z.NEVER;
    }
  };
}

export const cidJson = z.object({ '/': z.string() }).transform(readWith((json) => parseCid(json['/'])));

export const addressJson = z.string().transform(readWith(parseAddress));

/** attoFIL. */
export const amountJson = z
  .string()
  .regex(/^-?[0-9]+$/)
  .transform(BigInt);

/** Base64, null for nothing. */
export const bytesJson = z
  .base64()
  .nullable()
  .transform((text) => Uint8Array.from(Buffer.from(text ?? '', 'base64')));

export const bitfieldJson = z
  .array(z.number())
  .nullable()
  .transform(readWith((runs) => Bitfield.fromJsonRuns(runs)));

/** A list that Go prints as null when it is empty. */
export function listJson<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullable()
    .transform((list) => list ?? []);
}

export const tipSetKeyJson = listJson(cidJson).transform((cids): TipSetKey => cids.map(String));
