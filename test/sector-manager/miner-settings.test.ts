import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadManagerConfig } from '../../src/config/manager-file.ts';
import { minerSettings } from '../../src/programs/sector-manager/miner-settings.ts';
import { silentLogger } from '../support/silent-logger.ts';

async function settings(...miners: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'miner-settings-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'sector-manager.cfg');
  await writeFile(
    file,
    miners.map((post, index) => `[[Miners]]\nActor = ${1000 + index}\n[Miners.PoSt]\n${post}\n`).join(''),
  );
  return minerSettings((await loadManagerConfig(file)).config, silentLogger, 'cfg');
}

const SENDER = "Sender = 't0100'";

it('has the defaults of the system it replaces', async () => {
  const [miner] = await settings(SENDER);
  expect(miner).toMatchObject({
    minerId: 1000,
    challengeConfidence: 10,
    submitConfidence: 4,
    messageConfidence: 10,
    maxPartitions: 3,
    parallel: false,
    maxRecoverSectors: 0,
    maxPartitionsPerRecovery: 0,
  });
});

// One key each, and what becomes of it.
it.each([
  ['Parallel = true', { parallel: true }],
  ['Confidence = 6', { messageConfidence: 6 }],
  ['SubmitConfidence = 7', { submitConfidence: 7 }],
  ['ChallengeConfidence = 8', { challengeConfidence: 8 }],
  ['FirstRunGate = false', { firstRunGate: false }],
  ['MaxRecoverSectorLimit = 9', { maxRecoverSectors: 9 }],
  ['MaxPartitionsPerPoStMessage = 2', { maxPartitions: 2 }],
  ['MaxPartitionsPerPoStMessage = 5', { maxPartitions: 3 }],
  ['MaxPartitionsPerRecoveryMessage = 11', { maxPartitionsPerRecovery: 11 }],
  ['MaxSkipShare = 0.5', { maxSkipShare: 0.5 }],
  ["MaxFee = '1 FIL'", { maxFee: 10n ** 18n }],
  ["MaxRecoveryFee = '2 FIL'", { maxRecoveryFee: 2n * 10n ** 18n }],
])('%s', async (line, expected) => {
  const [miner] = await settings(`${SENDER}\n${line}`);
  const [usual] = await settings(SENDER);
  expect(miner).toEqual({ ...usual, ...expected });
});

it('leaves out a miner that is not enabled and one without a sender', async () => {
  const found = await settings(`${SENDER}\nEnabled = false`, SENDER, 'Parallel = true');
  expect(found.map(({ minerId }) => minerId)).toEqual([1001]);
});
