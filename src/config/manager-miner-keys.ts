import { duration } from './duration.ts';
import { filAmount } from './fil-amount.ts';
import { address, count, factor, flag, minerId, oneOrMore } from './kinds.ts';
import { key, optionalKey, section, unusedKey } from './table.ts';

/** What sealing and snap deals pay; checked only. */
const unusedFees = {
  senders: { ...unusedKey('Sender', oneOrMore(address)), aliases: ['Senders'] },
  sendFund: unusedKey('SendFund', flag),
  gasOverEstimation: unusedKey('GasOverEstimation', factor),
  gasOverPremium: unusedKey('GasOverPremium', factor),
  gasFeeCap: unusedKey('GasFeeCap', filAmount),
  maxFeeCap: unusedKey('MaxFeeCap', filAmount),
  maxFee: unusedKey('MaxFee', filAmount),
} as const;

const unusedMessages = (name: string, about: string) =>
  section(name, about, {
    ...unusedFees,
    batch: section('Batch', 'Several sectors in one message', {
      enabled: unusedKey('Enabled', flag),
      threshold: unusedKey('Threshold', count),
      maxWait: unusedKey('MaxWait', duration),
      checkInterval: unusedKey('CheckInterval', duration),
      batchCommitAboveBaseFee: unusedKey('BatchCommitAboveBaseFee', filAmount),
      ...unusedFees,
    }),
  });

const FEES_UNUSED = "Has no effect: the node's estimate counts, raised while a message is stuck, and MaxFee bounds it";

/** One [[Miners]] of sector-manager.cfg. */
export const minerKeys = {
  actor: optionalKey('Actor', minerId, { example: 1447, about: 'Number of the miner; an entry without it is ignored' }),
  sector: section('Sector', 'New sectors; this version makes none', {
    initNumber: unusedKey('InitNumber', count),
    minNumber: unusedKey('MinNumber', count),
    maxNumber: unusedKey('MaxNumber', count),
    enabled: unusedKey('Enabled', flag),
    enableDeals: unusedKey('EnableDeals', flag),
    lifetimeDays: unusedKey('LifetimeDays', count),
    verbose: unusedKey('Verbose', flag),
  }),
  snapUp: section('SnapUp', 'Snap deals; this version makes none', {
    enabled: unusedKey('Enabled', flag),
    ...unusedFees,
    messageConfidence: { ...unusedKey('MessageConfidence', count), aliases: ['MessageConfidential'] },
    releaseConfidence: { ...unusedKey('ReleaseConfidence', count), aliases: ['ReleaseCondidential'] },
    cleanupCcData: unusedKey('CleanupCCData', flag),
    retry: section('Retry', 'Repeated tries', {
      maxAttempts: unusedKey('MaxAttempts', count),
      pollInterval: unusedKey('PollInterval', duration),
      apiFailureWait: unusedKey('APIFailureWait', duration),
      localFailureWait: unusedKey('LocalFailureWait', duration),
    }),
  }),
  commitment: section('Commitment', 'Messages of sealing; this version sends none', {
    confidence: unusedKey('Confidence', count),
    pre: unusedMessages('Pre', 'PreCommit messages'),
    prove: unusedMessages('Prove', 'ProveCommit messages'),
    terminate: unusedMessages('Terminate', 'Terminate messages'),
  }),
  post: section('PoSt', 'Window PoSt', {
    senders: optionalKey('Sender', oneOrMore(address), {
      aliases: ['Senders'],
      example: 'f3sc7rocifuabifirjul34bcpq2m2vvrg6yz2pghbbikd4aylnvhfs7dkeoaydmprzj7m4ptiff7k436x4slqa',
      about: 'Account that signs and pays for the messages; used by this manager alone',
    }),
    enabled: key('Enabled', flag, { default: true, about: 'Whether this manager posts for the miner' }),
    strictCheck: unusedKey('StrictCheck', flag, 'Has no effect: slaves read every sector before it is proven'),
    parallel: unusedKey('Parallel', flag, 'Has no effect: no batch waits for another'),
    gasOverEstimation: unusedKey('GasOverEstimation', factor, FEES_UNUSED),
    gasOverPremium: unusedKey('GasOverPremium', factor, FEES_UNUSED),
    gasFeeCap: unusedKey('GasFeeCap', filAmount, FEES_UNUSED),
    maxFeeCap: unusedKey('MaxFeeCap', filAmount, FEES_UNUSED),
    maxFee: key('MaxFee', filAmount, { default: '5 FIL', about: 'Highest cost of one message' }),
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
    maxRecoverSectorLimit: key('MaxRecoverSectorLimit', count, {
      default: 0,
      about: 'Sectors declared recovered at once; 0: no limit',
    }),
    maxPartitionsPerPoStMessage: key('MaxPartitionsPerPoStMessage', count, {
      default: 0,
      about: 'Partitions in one message; 0: as many as the network allows (3)',
    }),
    maxPartitionsPerRecoveryMessage: key('MaxPartitionsPerRecoveryMessage', count, {
      default: 0,
      about: 'Partitions in one recovery message; 0: no limit',
    }),
  }),
  proof: section('Proof', 'Winning PoSt', {
    enabled: key('Enabled', flag, {
      default: false,
      about: 'Whether blocks are won for the miner; not supported in this version',
    }),
  }),
  sealing: section('Sealing', 'Sealing; this version has none', {
    sealingEpochDuration: unusedKey('SealingEpochDuration', count),
    useSyntheticPoRep: unusedKey('UseSyntheticPoRep', flag),
    requireActivationSuccess: unusedKey('RequireActivationSuccess', flag),
    requireActivationSuccessUpdate: unusedKey('RequireActivationSuccessUpdate', flag),
    requireNotificationSuccess: unusedKey('RequireNotificationSuccess', flag),
    requireNotificationSuccessUpdate: unusedKey('RequireNotificationSuccessUpdate', flag),
    sealingSectorDeadlineDelayNi: unusedKey('SealingSectorDeadlineDelayNi', count),
  }),
} as const;
