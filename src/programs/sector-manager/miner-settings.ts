import type { ManagerConfig } from '../../config/manager-file.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { idAddress } from '../../filecoin/address.ts';
import { POSTED_PARTITIONS_MAX } from '../../filecoin/policy.ts';
import type { MinerSettings } from '../../poster/components.ts';
import type { Logger } from '../../telemetry/logger.ts';

/**
 * The miners to post for.
 * @throws CodedError `no-miners` where nothing is left to do
 */
export function minerSettings(config: ManagerConfig, logger: Logger, file: string): MinerSettings[] {
  const miners = config.miners.flatMap(({ actor, post }): MinerSettings[] => {
    if (!post.enabled) return [];
    const sender = post.senders?.[0];
    if (sender === undefined) {
      logger.warn({ minerId: actor }, 'miner is left out: it has no [Miners.PoSt] Sender');
      return [];
    }
    return [
      {
        minerId: actor,
        address: idAddress(actor),
        sender,
        challengeConfidence: post.challengeConfidence,
        submitConfidence: post.submitConfidence,
        messageConfidence: post.confidence,
        maxPartitions: Math.min(post.maxPartitionsPerPoStMessage || POSTED_PARTITIONS_MAX, POSTED_PARTITIONS_MAX),
        maxSkipShare: post.maxSkipShare,
        parallel: post.parallel,
        maxFee: post.maxFee,
        maxRecoveryFee: post.maxRecoveryFee,
        firstRunGate: post.firstRunGate,
        maxRecoverSectors: post.maxRecoverSectorLimit,
        maxPartitionsPerRecovery: post.maxPartitionsPerRecoveryMessage,
      },
    ];
  });
  if (miners.length > 0) return miners;
  throw new CodedError(
    'no-miners',
    `${file} names no miner to post for: give [[Miners]] an Actor and [Miners.PoSt] a Sender and Enabled = true`,
  );
}
