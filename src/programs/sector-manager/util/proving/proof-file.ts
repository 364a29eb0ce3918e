import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { CodedError } from '../../../../errors/coded-error.ts';
import { formatAddress } from '../../../../filecoin/address.ts';
import { Bitfield } from '../../../../filecoin/bitfield.ts';
import type { PartitionScope } from './partition-scope.ts';

export interface MadeProof {
  /** 192 bytes. */
  readonly bytes: Uint8Array;
  readonly skipped: Bitfield;
}

const proofJson = z.object({
  miner: z.string(),
  deadline: z.int(),
  partition: z.int(),
  challenge: z.int(),
  skipped: z.array(z.int().nonnegative()),
  proof: z.base64(),
});

/** A proof as `prove` writes and shows it. */
export type ProofJson = z.infer<typeof proofJson>;

export function proofToJson(scope: PartitionScope, { bytes, skipped }: MadeProof): ProofJson {
  return {
    miner: formatAddress(scope.address),
    deadline: scope.deadline.index,
    partition: scope.partition,
    challenge: scope.deadline.challenge,
    skipped: [...skipped],
    proof: Buffer.from(bytes).toString('base64'),
  };
}

export async function writeProof(file: string, proof: ProofJson): Promise<void> {
  await writeFile(file, `${JSON.stringify(proof)}\n`);
}

/** @throws CodedError `bad-proof-file` where it cannot be read, or is not of this window and partition */
export async function readProof(file: string, scope: PartitionScope): Promise<MadeProof> {
  const fail = (text: string, cause?: unknown) => new CodedError('bad-proof-file', `${file} ${text}`, { cause });
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw fail('cannot be read as JSON', error);
  }
  const parsed = proofJson.safeParse(content);
  if (!parsed.success) throw fail('does not hold a proof as `prove` writes it');
  const made = { bytes: Buffer.from(parsed.data.proof, 'base64'), skipped: Bitfield.of(parsed.data.skipped) };
  if (isOf(parsed.data, proofToJson(scope, made))) return made;
  const { miner, deadline, partition, challenge } = parsed.data;
  throw fail(`is of ${miner}, deadline ${deadline}, partition ${partition}, challenge ${challenge}`);
}

function isOf(found: ProofJson, wanted: ProofJson): boolean {
  return (['miner', 'deadline', 'partition', 'challenge'] as const).every((key) => found[key] === wanted[key]);
}
