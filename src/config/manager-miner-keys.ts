import { duration } from './duration.ts';
import { filAmount } from './fil-amount.ts';
import { address, count, factor, flag, minerId, oneOrMore, share } from './kinds.ts';
import { key, optionalKey, section, unusedKey } from './table.ts';

const SEALING = 'this version seals no sectors';
const SNAP_DEALS = 'this version makes no snap deals';
const FEE_CAP = '5 nanoFIL';

/** What sealing and snap deals pay. */
const unusedFees = (why: string) =>
  ({
    sendFund: unusedKey('SendFund', flag, why, true),
    gasOverEstimation: unusedKey('GasOverEstimation', factor, why, 1.2),
    gasOverPremium: unusedKey('GasOverPremium', factor, why, 0),
    gasFeeCap: unusedKey('GasFeeCap', filAmount, why, FEE_CAP),
    maxFeeCap: unusedKey('MaxFeeCap', filAmount, why, FEE_CAP),
    maxFee: unusedKey('MaxFee', filAmount, why),
  }) as const;

const unusedSender = (why: string) =>
  ({
    ...unusedKey(
      'Sender',
      oneOrMore(address),
      `${why}; only compared with that of [Miners.PoSt], which must be its own`,
    ),
    aliases: ['Senders'],
  }) as const;

const unusedMessages = (name: string, about: string, threshold: number) =>
  section(name, about, {
    senders: unusedSender(SEALING),
    ...unusedFees(SEALING),
    batch: section('Batch', 'Several sectors in one message', {
      enabled: unusedKey('Enabled', flag, SEALING, false),
      threshold: unusedKey('Threshold', count, SEALING, threshold),
      maxWait: unusedKey('MaxWait', duration, SEALING, '1h0m0s'),
      checkInterval: unusedKey('CheckInterval', duration, SEALING, '1m0s'),
      batchCommitAboveBaseFee: unusedKey('BatchCommitAboveBaseFee', filAmount, SEALING),
      ...unusedFees(SEALING),
    }),
  });

/** One [[Miners]] of sector-manager.cfg. */
export const minerKeys = {
  actor: optionalKey('Actor', minerId, { example: 1447, about: 'Number of the miner; an entry without it is ignored' }),
  sector: section('Sector', 'New sectors; this version makes none', {
    initNumber: unusedKey('InitNumber', count, SEALING, 0),
    minNumber: unusedKey('MinNumber', count, SEALING),
    maxNumber: unusedKey('MaxNumber', count, SEALING),
    enabled: unusedKey('Enabled', flag, SEALING, true),
    enableDeals: unusedKey('EnableDeals', flag, SEALING, false),
    lifetimeDays: unusedKey('LifetimeDays', count, SEALING, 540),
    verbose: unusedKey('Verbose', flag, SEALING, false),
  }),
  snapUp: section('SnapUp', 'Snap deals; this version makes none', {
    enabled: unusedKey('Enabled', flag, SNAP_DEALS, false),
    senders: unusedSender(SNAP_DEALS),
    ...unusedFees(SNAP_DEALS),
    messageConfidence: {
      ...unusedKey('MessageConfidence', count, SNAP_DEALS, 15),
      aliases: ['MessageConfidential'],
    },
    releaseConfidence: {
      ...unusedKey('ReleaseConfidence', count, SNAP_DEALS, 30),
      aliases: ['ReleaseCondidential'],
    },
    cleanupCcData: unusedKey('CleanupCCData', flag, SNAP_DEALS, true),
    retry: section('Retry', 'Repeated tries', {
      maxAttempts: unusedKey('MaxAttempts', count, SNAP_DEALS),
      pollInterval: unusedKey('PollInterval', duration, SNAP_DEALS, '3m0s'),
      apiFailureWait: unusedKey('APIFailureWait', duration, SNAP_DEALS, '3m0s'),
      localFailureWait: unusedKey('LocalFailureWait', duration, SNAP_DEALS, '3m0s'),
    }),
  }),
  commitment: section('Commitment', 'Messages of sealing; this version sends none', {
    confidence: unusedKey('Confidence', count, SEALING, 10),
    pre: unusedMessages('Pre', 'PreCommit messages', 16),
    prove: unusedMessages('Prove', 'ProveCommit messages', 16),
    terminate: unusedMessages('Terminate', 'Terminate messages', 5),
  }),
  post: section('PoSt', 'Window PoSt', {
    senders: optionalKey('Sender', oneOrMore(address), {
      aliases: ['Senders'],
      example: 'f3sc7rocifuabifirjul34bcpq2m2vvrg6yz2pghbbikd4aylnvhfs7dkeoaydmprzj7m4ptiff7k436x4slqa',
      about:
        'Account that signs and pays for the messages (owner, worker or a control address of the miner); used by this manager alone. ' +
        'Of several the first with funds for a day is used',
    }),
    enabled: key('Enabled', flag, { default: true, about: 'Whether this manager posts for the miner' }),
    strictCheck: unusedKey(
      'StrictCheck',
      flag,
      'always as if true: every sector gives a real vanilla proof on a slave before the SNARK starts',
      true,
    ),
    parallel: key('Parallel', flag, {
      default: false,
      about:
        'Partitions are checked, proven and sent side by side in any case. false: those ready for proving are given to the master ' +
        'one after the other, lower deadlines and partitions first; true: all at once, in no order',
    }),
    gasOverEstimation: key('GasOverEstimation', factor, {
      default: 1.2,
      about:
        'Gas limit of a message as a multiple of the gas that it is estimated to use; 0: as the node does it (1.25)',
    }),
    gasOverPremium: key('GasOverPremium', factor, {
      default: 0,
      about: "Premium as a multiple of the node's estimate; 0: the estimate",
    }),
    gasFeeCap: key('GasFeeCap', filAmount, {
      default: '5 nanoFIL',
      about:
        "Fee cap, for each unit of gas, with which a message starts; where the base fee is higher, and while a message is stuck, the node's " +
        "estimate counts, as far as MaxFee goes. 0: always the node's estimate",
    }),
    maxFeeCap: optionalKey('MaxFeeCap', filAmount, {
      example: '5 nanoFIL',
      about: 'Older name of GasFeeCap; counts where that is 0',
    }),
    maxFee: key('MaxFee', filAmount, {
      default: '5 FIL',
      about: 'Highest cost of one window PoSt message, replacements included',
    }),
    maxRecoveryFee: key('MaxRecoveryFee', filAmount, {
      default: '5 FIL',
      about: 'Highest cost of one message that declares recoveries or faults, replacements included',
    }),
    confidence: key('Confidence', count, { default: 10, about: 'Age at which a message counts as landed, in epochs' }),
    submitConfidence: key('SubmitConfidence', count, {
      default: 0,
      zeroMeans: 4,
      about: 'Proofs are submitted this long after the deadline opens, in epochs',
    }),
    challengeConfidence: key('ChallengeConfidence', count, {
      default: 0,
      zeroMeans: 10,
      about: 'Proving starts this long after the challenge, in epochs',
    }),
    firstRunGate: key('FirstRunGate', flag, {
      default: true,
      about:
        'Recoveries are declared only after one real partition of the miner was proven and verified: by simulate-wdpost, by its first ' +
        'window PoSt, or, where neither was, by a proof made for it (docs/proving.md). false: at once',
    }),
    maxRecoverSectorLimit: key('MaxRecoverSectorLimit', count, {
      default: 0,
      about: 'Sectors declared recovered at once; 0: no limit',
    }),
    maxPartitionsPerPoStMessage: key('MaxPartitionsPerPoStMessage', count, {
      default: 0,
      about: 'Partitions in one message; 0: as many as the network allows (3)',
    }),
    maxSkipShare: key('MaxSkipShare', share, {
      default: 0.2,
      about:
        'Share of a partition, 0 to 1, up to which unreadable sectors are skipped (declared faulty); with more the partition is ' +
        'left unsent, which costs less (docs/skipping.md)',
    }),
    maxPartitionsPerRecoveryMessage: key('MaxPartitionsPerRecoveryMessage', count, {
      default: 0,
      about: 'Partitions in one recovery message; 0: no limit',
    }),
  }),
  proof: section('Proof', 'Winning PoSt', {
    enabled: key('Enabled', flag, {
      default: false,
      about:
        'Whether winning proofs are made for the miner: each Gateway is asked for them, by a manager with --miner (docs/winning.md)',
    }),
  }),
  sealing: section('Sealing', 'Sealing; this version has none', {
    sealingEpochDuration: unusedKey('SealingEpochDuration', count, SEALING, 0),
    useSyntheticPoRep: unusedKey('UseSyntheticPoRep', flag, SEALING, false),
    requireActivationSuccess: unusedKey('RequireActivationSuccess', flag, SEALING, false),
    requireActivationSuccessUpdate: unusedKey('RequireActivationSuccessUpdate', flag, SEALING, false),
    requireNotificationSuccess: unusedKey('RequireNotificationSuccess', flag, SEALING, false),
    requireNotificationSuccessUpdate: unusedKey('RequireNotificationSuccessUpdate', flag, SEALING, false),
    sealingSectorDeadlineDelayNi: unusedKey('SealingSectorDeadlineDelayNi', count, SEALING, 6),
  }),
} as const;
