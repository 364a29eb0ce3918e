import type { Chain } from '../../../chain/chain.ts';
import type { MessageLookup } from '../../../chain/message-lookup.ts';
import type { MessagesTable } from '../../../database/tables/outbox.ts';
import { CodedError, errorCode } from '../../../errors/coded-error.ts';
import { parseCid } from '../../../filecoin/cid.ts';
import { isUnknownMessage } from '../../../outbox/node-answers.ts';
import { labelled } from './labelled.ts';
import type { Toolbox } from './toolbox.ts';
import type { Answer, Group } from './verb.ts';

const POLL_MS = 3_000;

export const messageGroup: Group = {
  name: 'message',
  about: 'look for messages on the chain',
  members: [
    {
      name: 'search',
      args: ['<id>'],
      example: 'bafy2bzacea… --json',
      about: 'show what became of a message: by its CID, its id here, or its uid',
      run: async (toolbox, { args }) => answer(await find(toolbox, args[0] ?? '')),
    },
    {
      name: 'wait',
      args: ['<id>'],
      example: 'bafy2bzacea…',
      about: 'wait until a message is on the chain or cannot come there any more; ends with 1 where it failed',
      async run(toolbox, { args }) {
        for (;;) {
          const found = await find(toolbox, args[0] ?? '');
          if (isOver(found)) return { ...answer(found), exitCode: hasFailed(found) ? 1 : 0 };
          await toolbox.clock.sleep(POLL_MS);
        }
      },
    },
  ],
};

interface Found {
  /** Absent where only the CID is known. */
  readonly row?: Row;
  readonly cid?: string;
  /** Null: not on the chain. */
  readonly landed: MessageLookup | null;
}

type Row = Pick<
  MessagesTable,
  'id' | 'uid' | 'miner_id' | 'purpose' | 'state' | 'signer' | 'nonce' | 'cid' | 'exit_code' | 'height' | 'error'
>;

async function find(toolbox: Toolbox, id: string): Promise<Found> {
  const chain = await toolbox.chain();
  if (isCid(id)) return { cid: id, landed: await search(chain, id) };
  const row = await readRow(toolbox, id);
  if (row.cid === null) return { row, landed: null };
  return { row, cid: row.cid, landed: await search(chain, row.cid) };
}

async function search(chain: Chain, cid: string): Promise<MessageLookup | null> {
  try {
    return await chain.searchMessage(parseCid(cid), { lookback: -1, allowReplaced: true });
  } catch (error) {
    if (isUnknownMessage(error)) return null;
    throw error;
  }
}

async function readRow(toolbox: Toolbox, id: string): Promise<Row> {
  const db = await toolbox.database();
  const row = await db.kysely
    .selectFrom('messages')
    .select(['id', 'uid', 'miner_id', 'purpose', 'state', 'signer', 'nonce', 'cid', 'exit_code', 'height', 'error'])
    .where((eb) => eb.or([eb('id', '=', id), eb('uid', '=', id)]))
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new CodedError('not-found', `${id} is neither the CID of a message nor the id or uid of one of this manager`);
}

function isCid(text: string): boolean {
  try {
    parseCid(text);
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

function isOver({ row, landed }: Found): boolean {
  return landed !== null || (row !== undefined && ['landed', 'failed', 'refused', 'expired'].includes(row.state));
}

function hasFailed({ row, landed }: Found): boolean {
  return landed === null ? row?.state !== 'landed' : landed.exitCode !== 0;
}

function answer({ row, cid, landed }: Found): Answer {
  const json = {
    ...(row && {
      id: row.id,
      uid: row.uid,
      miner: row.miner_id,
      purpose: row.purpose,
      state: row.state,
      signer: row.signer,
      nonce: row.nonce,
      error: row.error,
    }),
    cid: cid ?? null,
    landed: landed && {
      cid: landed.cid.toString(),
      height: landed.height,
      exitCode: landed.exitCode,
      gasUsed: landed.gasUsed,
      tipSet: landed.tipSet,
    },
  };
  const isReplaced = landed !== null && landed.cid.toString() !== cid;
  const text = labelled([
    ['id', row?.id],
    ['uid', row?.uid],
    ['for', row && `miner ${row.miner_id}, ${row.purpose}`],
    ['state', row?.state],
    ['cid', cid],
    ['signer', row?.signer],
    ['nonce', row?.nonce],
    ['error', row?.error],
    ['on chain', landed === null ? 'no' : `since epoch ${landed.height}`],
    ['replaced by', isReplaced ? landed.cid.toString() : undefined],
    ['exit code', landed?.exitCode],
    ['gas used', landed?.gasUsed],
  ]);
  return { json, text };
}
