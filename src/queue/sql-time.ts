import { sql } from 'kysely';
import { databaseNow } from '../database/database.ts';

/** The seed's tables keep whole seconds, ours milliseconds. */
export const nowSeconds = sql<number>`UNIX_TIMESTAMP()`;
export const nowMs = databaseNow;
