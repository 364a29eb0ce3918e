import type { Clock } from '../../clock/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createWinningProver, type WinningProver } from '../../winning/winning-prover.ts';
import { readExtProvers, winningChild } from './ext-provers.ts';

/** Those of [[WinPost]] where ext-prover.cfg is to be used and has some, else one of this installation. */
export async function openWinningProver(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: { readonly confDir: string; readonly extProver: boolean; readonly warmUp: boolean },
): Promise<WinningProver> {
  const { winning } = init.extProver ? await readExtProvers(init.confDir) : { winning: [] };
  const children = winning.map(winningChild);
  return createWinningProver(components, { warmUp: init.warmUp, ...(children.length > 0 && { children }) });
}
