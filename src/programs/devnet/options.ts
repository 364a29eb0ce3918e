import { readFile } from 'node:fs/promises';
import { hexToBytes } from '@noble/curves/utils.js';
import { z } from 'zod';
import { CodedError, errorText } from '../../errors/coded-error.ts';
import { actorId, parseAddress } from '../../filecoin/address.ts';
import type { GenesisSector } from './state/genesis-miner.ts';

const sectorLine = z.object({
  miner: z.int().min(0).optional(),
  sector_id: z.int().min(0),
  comm_r: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
    .transform((text): Uint8Array => hexToBytes(text)),
  deadline: z.int().min(0).max(47).optional(),
});

/** The actor id of `t01001`, `f01001` or `1001`. */
export function minerId(text: string): number {
  try {
    return Number(actorId(parseAddress(/^[0-9]+$/.test(text) ? `t0${text}` : text)));
  } catch (cause) {
    throw new CodedError('usage', `--miner ${text}: expected an actor id such as t01001`, { cause });
  }
}

/** `127.0.0.1:0`, `[::1]:1234`. */
export function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[(.+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535)
    throw new CodedError('usage', `--listen ${text}: expected host:port, such as 127.0.0.1:0`);
  return { host, port };
}

/**
 * Sectors by miner, from JSON lines `{"sector_id", "comm_r", "miner"?, "deadline"?}` as `prover-tools sectors fake` prints them; a
 * line without a miner belongs to the first one.
 */
export async function readSectors(
  path: string,
  miners: readonly number[],
): Promise<ReadonlyMap<number, readonly GenesisSector[]>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new CodedError('no-sectors-file', `--sectors ${path} cannot be read`, { cause });
  }
  const sectors = new Map<number, GenesisSector[]>(miners.map((id) => [id, []]));
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const { miner, sector_id, comm_r, deadline } = parseLine(line, `${path} line ${index + 1}`);
    const list = sectors.get(miner ?? miners[0] ?? 0);
    if (list === undefined)
      throw new CodedError('unknown-miner', `${path} line ${index + 1}: miner ${miner} is not named with --miner`);
    list.push({ number: sector_id, commR: comm_r, ...(deadline !== undefined && { deadline }) });
  }
  return sectors;
}

function parseLine(line: string, where: string): z.output<typeof sectorLine> {
  try {
    return sectorLine.parse(JSON.parse(line));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : errorText(error);
    throw new CodedError('bad-sector-line', `${where}: ${why.replaceAll(/\s*\n\s*/g, ' ')}`);
  }
}
