import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { proverBinary } from '../../src/ext-processor/prover-binary.ts';
import { ProverProcess } from '../../src/ext-processor/prover-process.ts';
import { createVerifier } from '../../src/ext-processor/verifier.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { encodeCbor } from '../../src/filecoin/cbor.ts';
import { address } from '../../src/filecoin/codecs.ts';
import { proofSeed, RandomnessTag } from '../../src/filecoin/randomness.ts';
import { readSectors } from '../../src/programs/devnet/options.ts';
import type { GenesisSector } from '../../src/programs/devnet/state/genesis-miner.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { ChainUnderTest, MINER, OPEN } from './chain-under-test.ts';

const run = promisify(execFile);
const components = { clock: systemClock, logger: silentLogger };
const env = {
  FIL_PROOFS_PARAMETER_CACHE: join(homedir(), '.cache', 'wdpost-cluster', 'params'),
  ...process.env,
};

/** Four provable sectors: two in deadline 0, two in deadline 1. */
async function makeSectors(folder: string): Promise<readonly GenesisSector[]> {
  const tools = fileURLToPath(new URL('../../dist/bin/prover-tools', import.meta.url));
  const args = ['sectors', 'fake', '--miner', MINER, '--size', '2KiB', '--count', 4, '--out', folder, '--no-links'].map(
    String,
  );
  const { stdout } = await run(tools, args);
  await writeFile(join(folder, 'sectors.jsonl'), stdout);
  return (await readSectors(join(folder, 'sectors.jsonl'), [MINER])).get(MINER) ?? [];
}

async function prove(
  test: ChainUnderTest,
  folder: string,
  sectors: readonly GenesisSector[],
  challenge: number,
): Promise<Uint8Array> {
  const entropy = encodeCbor(address, idAddress(MINER));
  const randomness = test.chain
    .randomness(test.chain.head)
    .beacon(RandomnessTag.WindowedPoStChallengeSeed, challenge, entropy);
  const prover = new ProverProcess(components, {
    bin: proverBinary(),
    args: ['processor', 'window_post'],
    stage: 'window_post',
    env,
    readyTimeoutMs: 60_000,
  });
  onTestFinished(() => prover.kill());
  await prover.start();
  const { proofs } = await prover.request<{ proofs: string[] }>({
    miner_id: MINER,
    proof_type: 'StackedDrgWindow2KiBV1_2',
    replicas: sectors.map(({ number, commR }) => ({
      sector_id: number,
      comm_r: [...commR],
      cache_dir: join(folder, 'cache', `s-t0${MINER}-${number}`),
      sealed_file: join(folder, 'sealed', `s-t0${MINER}-${number}`),
    })),
    seed: [...proofSeed(randomness)],
  });
  return Uint8Array.from(Buffer.from(proofs[0] ?? '', 'base64'));
}

test('a real proof passes the real verifier, and the same proof for another deadline is disputed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'devnet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const sectors = await makeSectors(folder);
  const verifier = createVerifier(components, { env });
  onTestFinished(() => verifier.close());
  const test = await ChainUnderTest.start(OPEN, { miners: new Map([[MINER, sectors]]), verifier });
  const proof = await prove(test, folder, sectors.slice(0, 2), OPEN - 20);

  await test.land(test.submit(0, { proof }));
  await test.mineTo(OPEN + 60);
  await test.land(test.submit(1, { proof }));
  await test.mineTo(OPEN + 120);
  await test.devnet.disputer.finish();

  expect(await test.events.next()).toMatchObject({ event: 'verified', deadline: 0, partition: [0], sectors: 2 });
  expect(await test.events.next()).toMatchObject({ event: 'disputed', deadline: 1, partition: [0], sectors: 2 });
  await test.mineTo(OPEN + 123);
  expect([...test.partition(1).faulty]).toEqual([2, 3]);
  expect(test.partition(0).faulty.isEmpty).toBe(true);
});
