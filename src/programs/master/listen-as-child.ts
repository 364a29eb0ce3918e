import { hostname } from 'node:os';
import type { Clock } from '../../clock/clock.ts';
import { retry } from '../../clock/retry.ts';
import type { Database } from '../../database/database.ts';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';
import { isMasterLive } from '../../leadership/is-master-live.ts';
import { MAX_NAME_LENGTH } from '../../rpc/methods.ts';
import type { RpcServer } from '../../rpc/rpc-server.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** A master that is a child of a manager. */
export interface ChildInit {
  /** Its own line role shows it, where a token is asked for. */
  readonly token: string;
  /** A master of the database listens on the port: this one, or another one, whose place is waited for then. */
  readonly onReachable: (port: number) => void;
}

const LOOK_MS = 2_000;

/** The same for whoever has this port of this host. */
export function masterName(port: number): string {
  return `${hostname()}:${port}`.slice(-MAX_NAME_LENGTH);
}

/**
 * Listens. A child whose port is taken waits for it, however long, and meanwhile tells of the master that has it, if that uses the
 * same database. Undefined when the signal came first.
 */
export async function listenAsChild(
  components: { readonly clock: Clock; readonly logger: Logger; readonly db: Database; readonly rpc: RpcServer },
  init: { readonly port: number; readonly signal: AbortSignal; readonly child: ChildInit | undefined },
): Promise<{ readonly host: string; readonly port: number } | undefined> {
  const { clock, logger, db, rpc } = components;
  const { port, signal, child } = init;
  const isTaken = (error: unknown) => error instanceof CodedError && errorCode(error.cause) === 'EADDRINUSE';
  let said = '';
  const say = (message: string) => {
    if (said !== message) logger.warn({ port }, message);
    said = message;
  };
  try {
    return await retry(
      clock,
      { pauseMs: LOOK_MS, maxPauseMs: LOOK_MS, signal, isTransient: (error) => child !== undefined && isTaken(error) },
      async () => {
        try {
          return await rpc.start();
        } catch (error) {
          if (child !== undefined && isTaken(error)) await lookBeside(child);
          throw error;
        }
      },
    );
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }

  async function lookBeside({ onReachable }: ChildInit): Promise<void> {
    try {
      if (await isMasterLive(db, masterName(port))) {
        say('another master of this database has the port: requests are handed to it');
        onReachable(port);
      } else say('the port is taken, and not by a master of this database: requests wait until it is free');
    } catch (error) {
      logger.debug({ error: errorText(error) }, 'who has the port is not known');
    }
  }
}
