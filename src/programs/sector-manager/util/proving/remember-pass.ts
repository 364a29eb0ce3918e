import { errorText } from '../../../../errors/coded-error.ts';
import { rememberGatePass } from '../../../../poster/gate-store.ts';
import type { Toolbox } from '../toolbox.ts';
import type { MinerScope } from './miner-scope.ts';

/** Opens the miner's first-run gate. A proof is worth its verdict without it: trouble is an answer. */
export async function rememberPass(toolbox: Toolbox, { chain, minerId }: MinerScope, task: string): Promise<string> {
  try {
    const [db, network] = await Promise.all([toolbox.database(), chain.networkName()]);
    await db.transaction((trx) =>
      rememberGatePass(trx, { minerId, network, by: 'simulation', task, now: toolbox.clock.now() }),
    );
    return 'passed';
  } catch (error) {
    return `not recorded: ${errorText(error)}`;
  }
}
