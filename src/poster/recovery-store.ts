import type { Database, Executor, Transaction } from '../database/database.ts';
import { type Address, idAddress } from '../filecoin/address.ts';
import { Bitfield } from '../filecoin/bitfield.ts';
import { encodeCbor } from '../filecoin/cbor.ts';
import { MinerMethod } from '../filecoin/miner-methods.ts';
import { declareFaultsRecoveredParams } from '../filecoin/miner-params.ts';
import { mainnetPolicy } from '../filecoin/policy.ts';
import { addIntent } from '../outbox/add-intent.ts';
import type { Recoverable } from './recoveries.ts';

interface Window {
  readonly minerId: number;
  readonly deadline: number;
  readonly open: number;
}

/** The state of a tipset holds what its parents' messages did. */
const EXECUTION_EPOCHS = 2;

/**
 * Sectors in declarations for this window of which the chain at this height cannot tell: those under way, or landed just then. What
 * landed before is told by the chain alone: a declaration that a reorganisation moved before the fault did nothing.
 */
export async function declaredSectors(db: Executor, window: Window, height: number): Promise<Bitfield> {
  const rows = await db
    .selectFrom('recoveries')
    .innerJoin('messages', 'messages.id', 'recoveries.message_id')
    .select('recoveries.sectors')
    .where('recoveries.miner_id', '=', window.minerId)
    .where('recoveries.deadline', '=', window.deadline)
    .where('recoveries.open_epoch', '=', window.open)
    .where('messages.state', 'not in', ['failed', 'refused', 'expired'])
    .where((where) =>
      where.or([where('messages.state', '!=', 'landed'), where('messages.height', '>', height - EXECUTION_EPOCHS)]),
    )
    .execute();
  return rows.reduce((all, row) => all.union(Bitfield.fromRlePlus(row.sectors)), Bitfield.empty);
}

export interface Declaration {
  readonly minerId: number;
  readonly sender: Address;
  /** attoFIL. */
  readonly maxFee: bigint;
  /** Epochs. */
  readonly confidence: number;
  readonly recoveries: readonly Recoverable[];
  /** Of the head at which they were found faulty. */
  readonly height: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Stores one declaration as a message to be sent, without the sectors that another one has declared for the same window meanwhile.
 * Undefined where none is left.
 */
export async function storeRecovery(
  db: Database,
  declaration: Declaration,
): Promise<{ readonly messageId: string; readonly sectors: number } | undefined> {
  const { minerId, sender, maxFee, confidence, now } = declaration;
  return await db.transaction(async (trx) => {
    const recoveries = await undeclared(trx, declaration);
    if (recoveries.length === 0) return undefined;
    const messageId = await addIntent(trx, {
      minerId,
      purpose: 'recover',
      runId: null,
      sender,
      recipient: idAddress(minerId),
      method: MinerMethod.DeclareFaultsRecovered,
      params: encodeCbor(declareFaultsRecoveredParams, { recoveries }),
      maxFee,
      expiresEpoch: Math.min(...recoveries.map((recovery) => recovery.open)) - mainnetPolicy.faultDeclarationCutoff,
      confidence,
    });
    const row = { message_id: messageId, miner_id: minerId, created_at: now };
    await trx
      .insertInto('recoveries')
      .values(
        recoveries.map((recovery) => ({
          ...row,
          deadline: recovery.deadline,
          partition_index: recovery.partition,
          open_epoch: recovery.open,
          sectors: Buffer.from(recovery.sectors.toRlePlus()),
        })),
      )
      .execute();
    return { messageId, sectors: recoveries.reduce((sum, { sectors }) => sum + sectors.count, 0) };
  });
}

/** Holds the windows' rows until the end of the transaction. */
async function undeclared(
  trx: Transaction,
  { minerId, recoveries, height }: Declaration,
): Promise<readonly Recoverable[]> {
  const declared = new Map<string, Bitfield>();
  const keyOf = ({ deadline, open }: Recoverable) => `${deadline}/${open}`;
  for (const recovery of recoveries.toSorted((a, b) => a.open - b.open || a.deadline - b.deadline)) {
    if (declared.has(keyOf(recovery))) continue;
    const { deadline, open } = recovery;
    await trx
      .insertInto('recovery_windows')
      .values({ miner_id: minerId, deadline, open_epoch: open })
      .onDuplicateKeyUpdate({ deadline })
      .execute();
    declared.set(keyOf(recovery), await declaredSectors(trx, { minerId, deadline, open }, height));
  }
  return recoveries
    .map((recovery) => ({
      ...recovery,
      sectors: recovery.sectors.subtract(declared.get(keyOf(recovery)) ?? Bitfield.empty),
    }))
    .filter(({ sectors }) => !sectors.isEmpty);
}
