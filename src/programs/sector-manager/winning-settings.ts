import type { Endpoint } from '../../config/endpoint.ts';
import type { ManagerConfig } from '../../config/manager-file.ts';
import { CodedError } from '../../errors/coded-error.ts';
import type { Logger } from '../../telemetry/logger.ts';

export interface WinningSettings {
  readonly gateways: readonly Endpoint[];
  readonly minerIds: readonly number[];
}

/**
 * For whom winning proofs are made, and who asks for them; undefined where nobody does.
 * @throws CodedError `no-gateway`
 */
export function winningSettings(
  { common, miners }: ManagerConfig,
  logger: Logger,
  { file, isAsked, shadow }: { readonly file: string; readonly isAsked: boolean; readonly shadow: boolean },
): WinningSettings | undefined {
  const minerIds = miners.filter(({ proof }) => proof.enabled).map(({ actor }) => actor);
  if (!isAsked) {
    if (minerIds.length > 0) {
      logger.warn(
        { minerIds },
        'winning post: [Miners.Proof] Enabled is without effect: the manager runs without --miner',
      );
    }
    return undefined;
  }
  if (minerIds.length === 0) {
    logger.warn('winning post: --miner is without effect: no miner has [Miners.Proof] Enabled = true');
    return undefined;
  }
  // Another system makes them: a gateway that sees two takes either.
  if (shadow) return undefined;
  const gateways = common.api.gateway;
  if (gateways.length > 0) return { gateways, minerIds };
  throw new CodedError(
    'no-gateway',
    `${file}: --miner wants a gateway to serve: set [Common.API] Gateway, for example to ["/ip4/127.0.0.1/tcp/45132"]`,
  );
}
