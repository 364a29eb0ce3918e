import type { Clock } from '../clock/clock.ts';
import { retry } from '../clock/retry.ts';
import type { Database } from '../database/database.ts';
import { CodedError, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ConnectedChain } from './connect-chain.ts';

const ROW = 1;

/**
 * Binds database and chain to one network: a new database to that of the nodes, the nodes to that of the database. A new one waits
 * for a node, until the signal.
 * @throws CodedError `other-network` when the nodes are there and all of another network than the database
 */
export async function pinNetwork(
  components: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly db: Database;
    readonly chain: ConnectedChain;
  },
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger, db, chain } = components;
  const known = await pinned(db);
  if (known === undefined) {
    const found = await retry(
      clock,
      {
        pauseMs: 500,
        maxPauseMs: 5_000,
        signal,
        onFailure: (error, attempt) => {
          if (attempt === 1) logger.warn({ reason: errorText(error) }, 'waiting for a chain node to tell the network');
        },
      },
      async () => ({ genesis: await chain.genesis(), name: await chain.networkName() }),
    ).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (found === undefined) return;
    await db.transaction((trx) =>
      trx
        .insertInto('chain_network')
        .ignore()
        .values({ id: ROW, ...found, pinned_at: clock.now() })
        .execute(),
    );
    logger.info(found, 'the database belongs to this network from now on');
  }
  // Another manager may have been first.
  const network = known ?? (await pinned(db));
  if (network === undefined) return;
  chain.pin(network.genesis);
  try {
    await chain.genesis();
  } catch (error) {
    if (!(error instanceof CodedError && error.data.otherNetwork === true)) return;
    throw new CodedError(
      'other-network',
      `the database belongs to the network ${network.name} with the genesis block ${network.genesis}: ${errorText(error)}, or use a database of its own`,
    );
  }
}

async function pinned(db: Database): Promise<{ readonly genesis: string; readonly name: string } | undefined> {
  return await db.kysely
    .selectFrom('chain_network')
    .select(['genesis', 'name'])
    .where('id', '=', ROW)
    .executeTakeFirst();
}
