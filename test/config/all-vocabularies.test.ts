import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadManagerConfig } from '../../src/config/manager-file.ts';

async function load(text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'wdpost-words-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'sector-manager.cfg');
  await writeFile(path, text);
  const { config, warnings } = await loadManagerConfig(path);
  return { config, warnings: warnings.map((warning) => warning.replace(`${path}: `, '')) };
}

const FEES = `GasOverEstimation = 1.3
GasOverPremium = 0.1
GasFeeCap = "6 nanoFIL"`;

// Every key that venus-sector-manager 0.5 knows, none as it usually is.
const VERSION_0_5 = `
[Common.API]
Chain = "/ip4/127.0.0.1/tcp/1234/ws"
Messager = "/ip4/127.0.0.1/tcp/39812"
Market = "/ip4/127.0.0.1/tcp/41235"
Gateway = ["/ip4/127.0.0.1/tcp/45132/ws"]
Token = "t"
ChainEventInterval = "30s"
[[Common.PieceStores]]
Name = "p"
Path = "/p"
ReadOnly = true
Plugin = "x"
[Common.PieceStores.Meta]
SomeKey = "SomeValue"
[[Common.PersistStores]]
Name = "a"
Path = "/a"
Strict = true
ReadOnly = true
Weight = 3
AllowMiners = [1]
DenyMiners = [2]
[Common.PersistStores.Meta]
SomeKey = "SomeValue"
[Common.MongoKVStore]
Enable = true
DSN = "mongodb://127.0.0.1"
DatabaseName = "test"
[[Miners]]
Actor = 1
[Miners.Sector]
InitNumber = 1301
MinNumber = 10
MaxNumber = 1000000
Enabled = false
EnableDeals = true
LifetimeDays = 210
Verbose = true
[Miners.SnapUp]
Enabled = true
Sender = "t0100"
SendFund = false
${FEES}
MaxFeeCap = "1 FIL"
MessageConfidence = 16
ReleaseConfidence = 31
[Miners.SnapUp.Retry]
MaxAttempts = 10
PollInterval = "4m0s"
APIFailureWait = "4m0s"
LocalFailureWait = "4m0s"
[Miners.Commitment]
Confidence = 11
[Miners.Commitment.Pre]
Sender = "t0100"
SendFund = false
${FEES}
MaxFeeCap = "1 FIL"
[Miners.Commitment.Pre.Batch]
Enabled = true
Threshold = 17
MaxWait = "2h0m0s"
CheckInterval = "2m0s"
${FEES}
MaxFeeCap = "1 FIL"
[Miners.Commitment.Terminate.Batch]
Threshold = 6
[Miners.PoSt]
Sender = "t0100"
Enabled = true
StrictCheck = false
Parallel = true
${FEES}
MaxFeeCap = "1 FIL"
Confidence = 6
SubmitConfidence = 5
ChallengeConfidence = 6
MaxRecoverSectorLimit = 7
MaxPartitionsPerPoStMessage = 2
MaxPartitionsPerRecoveryMessage = 8
[Miners.Proof]
Enabled = true
[Miners.Sealing]
SealingEpochDuration = 1
`;

test('the words of venus-cluster 0.5: all are known, and those without effect are said once for each reason', async () => {
  const { warnings } = await load(VERSION_0_5);
  const reasons = new Map(
    warnings.map((warning) => {
      const [, keys = '', why = ''] = /^not applicable: (.*?): (.*)$/.exec(warning) ?? [];
      return [why, keys.split(', ')];
    }),
  );
  expect(
    [...reasons.keys()].every((why) => why !== ''),
    warnings.join('\n'),
  ).toBe(true);
  expect(reasons.get('this version handles no deals')).toEqual([
    'Common.API.Market',
    'Common.PieceStores.Name',
    'Common.PieceStores.Path',
    'Common.PieceStores.Meta',
    'Common.PieceStores.ReadOnly',
    'Common.PieceStores.Plugin',
  ]);
  expect(reasons.get('this version seals no sectors')).toHaveLength(24);
  expect(reasons.get('this version makes no snap deals')).toHaveLength(12);
  expect(reasons.size).toBe(8);
});

test('the usual values of what has no effect are no warning', async () => {
  const { warnings } = await load(`
[[Common.PersistStores]]
Path = "/a"
Weight = 0
[Common.MongoKVStore]
Enable = false
[Common.Proving]
ParallelCheckLimit = 128
SingleCheckTimeout = "600s"
[[Miners]]
Actor = 1
[Miners.SnapUp]
Enabled = false
GasFeeCap = "5000000000 attoFIL"
[Miners.Commitment.Pre.Batch]
Threshold = 16
MaxFeeCap = ""
[Miners.PoSt]
StrictCheck = true
`);
  expect(warnings).toEqual([]);
});

test('an absent StrictCheck means true', async () => {
  const { config } = await load('[[Miners]]\nActor = 1\n');
  expect(config.miners[0]?.post.strictCheck).toBe(true);
});

test('the words of 2022', async () => {
  const { config, warnings } = await load(`
[[Miners]]
Actor = 1
[Miners.SnapUp]
MessageConfidential = 15
ReleaseCondidential = 30
[Miners.Commitment.Pre]
MaxFee = "1 FIL"
[Miners.PoSt]
Sender = "t0100"
MaxFee = "4 FIL"
MaxFeeCap = "7 nanoFIL"
`);
  expect(warnings).toEqual(['not applicable: Miners.Commitment.Pre.MaxFee: this version seals no sectors']);
  expect(config.miners[0]?.post.maxFee).toBe(4n * 10n ** 18n);
});

test('the words of damocles', async () => {
  const { config, warnings } = await load(`
[Common]
ScanPersistStores = ["/mnt/*"]
[Common.Plugins]
Dir = "/plugins"
[[Common.PieceStores]]
PluginName = "x"
[Common.DB]
Driver = "mongo"
[Common.DB.Badger]
BaseDir = "/b"
[Common.DB.Mongo]
Enable = true
DSN = "mongodb://127.0.0.1"
DatabaseName = "d"
[Common.DB.Plugin]
PluginName = "y"
[Common.DB.Plugin.Meta]
SomeKey = "SomeValue"
[Common.Proving]
ParallelCheckLimit = 64
SingleCheckTimeout = "1m0s"
PartitionCheckTimeout = "2m0s"
[Common.Proving.WorkerProver]
JobMaxTry = 3
HeartbeatTimeout = "20s"
JobLifetime = "1h0m0s"
[[Miners]]
Actor = 1
[Miners.SnapUp]
Senders = ["t0100"]
CleanupCCData = false
[Miners.Commitment.Prove]
Senders = ["t0100"]
[Miners.Commitment.Prove.Batch]
BatchCommitAboveBaseFee = "1 nanoFIL"
[Miners.PoSt]
Senders = ["t0100", "t0101"]
[Miners.Sealing]
UseSyntheticPoRep = true
RequireActivationSuccess = true
RequireActivationSuccessUpdate = true
RequireNotificationSuccess = true
RequireNotificationSuccessUpdate = true
SealingSectorDeadlineDelayNi = 7
`);
  expect(warnings.filter((warning) => !warning.startsWith('not applicable: '))).toEqual([]);
  const said = warnings.join('\n');
  for (const key of [
    'Plugins.Dir',
    'PieceStores.Plugin',
    'DB.Badger.BaseDir',
    'WorkerProver.JobMaxTry',
    'CleanupCCData',
  ]) {
    expect(said).toContain(key);
  }
  expect(config.common.scanPersistStores).toEqual(['/mnt/*']);
  expect(config.miners[0]?.post.senders).toHaveLength(2);
});
