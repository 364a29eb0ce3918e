import type { Chain } from '../../../chain/chain.ts';
import type { MessageLookup } from '../../../chain/message-lookup.ts';
import { parseDuration } from '../../../config/duration.ts';
import type { MessagesTable } from '../../../database/tables/outbox.ts';
import { CodedError, errorCode } from '../../../errors/coded-error.ts';
import { parseCid } from '../../../filecoin/cid.ts';
import { isUnknownMessage } from '../../../outbox/node-answers.ts';
import { labelled } from './labelled.ts';
import { usage } from './proving/usage.ts';
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
      about:
        'show what became of a message: by its CID, its id here, or its uid; ends with 1 where it failed, and where the node does not ' +
        'know the CID',
      async run(toolbox, { args }) {
        const found = await find(toolbox, args[0] ?? '');
        return { ...answer(found), exitCode: isMissing(found) || (isOver(found) && hasFailed(found)) ? 1 : 0 };
      },
    },
    {
      name: 'wait',
      args: ['<id>'],
      example: 'bafy2bzacea…',
      about:
        'wait until a message is on the chain or cannot come there any more; ends with 1 where it failed or was not seen in time',
      options: [{ flags: '--timeout <duration>', about: 'wait no longer than this', default: '30m' }],
      async run(toolbox, { args, options }) {
        const { clock } = toolbox;
        const end = clock.monotonic() + limitMs(options.timeout ?? '30m');
        for (;;) {
          const found = await find(toolbox, args[0] ?? '');
          if (isOver(found)) return { ...answer(found), exitCode: hasFailed(found) ? 1 : 0 };
          if (clock.monotonic() >= end) {
            const { json, text } = answer(found);
            return { json, text: `${text}\nnot settled in time; it may land yet`, exitCode: 1 };
          }
          await clock.sleep(POLL_MS);
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

/** @throws CodedError `usage` */
function limitMs(text: unknown): number {
  const limit = parseDuration(String(text));
  if (limit === undefined) throw usage(`--timeout must be a duration such as 10m, not ${JSON.stringify(text)}`);
  return limit;
}

/** Of a CID alone the node's chain is all that can be asked. */
const isMissing = ({ row, landed }: Found): boolean => row === undefined && landed === null;

function isOver({ row, landed }: Found): boolean {
  return landed !== null || (row !== undefined && ['landed', 'failed', 'refused', 'expired'].includes(row.state));
}

function hasFailed({ row, landed }: Found): boolean {
  return landed === null ? row?.state !== 'landed' : landed.exitCode !== 0;
}

/** A node keeps the messages of some days; what the outbox was told stays. */
function onChain({ row, landed }: Found): string {
  if (landed !== null) return `since epoch ${landed.height}`;
  if (row === undefined) return 'no: the node knows no such message there';
  if (row.height === null) return 'no';
  return `since epoch ${row.height}, as the outbox was told; the node does not know it any more`;
}

function answer(found: Found): Answer {
  const { row, cid, landed } = found;
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
      height: row.height,
      exitCode: row.exit_code,
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
    ['on chain', onChain(found)],
    ['replaced by', isReplaced ? landed.cid.toString() : undefined],
    ['exit code', landed?.exitCode ?? row?.exit_code],
    ['gas used', landed?.gasUsed],
  ]);
  return { json, text };
}
