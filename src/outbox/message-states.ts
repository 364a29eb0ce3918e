import type { Database } from '../database/database.ts';
import type { MessageStateName } from './outbox-message.ts';

export interface MessageState {
  readonly state: MessageStateName;
  /** Of the version that landed, else of the newest one. */
  readonly cid: string | null;
  readonly exitCode: number | null;
  /** Epoch of the tipset that executed it. */
  readonly height: number | null;
  /** The node's or the chain's last word against it. */
  readonly error: string | null;
}

/** By id; unknown ids are left out. */
export async function messageStates(
  db: Pick<Database, 'kysely'>,
  ids: readonly string[],
): Promise<Map<string, MessageState>> {
  if (ids.length === 0) return new Map();
  const rows = await db.kysely
    .selectFrom('messages')
    .select(['id', 'state', 'cid', 'exit_code', 'height', 'error'])
    .where('id', 'in', ids)
    .execute();
  return new Map(
    rows.map(({ id, state, cid, exit_code, height, error }) => [
      id,
      { state, cid, exitCode: exit_code, height, error },
    ]),
  );
}
