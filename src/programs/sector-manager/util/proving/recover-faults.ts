import { textTable } from '../../../../cli/text-table.ts';
import { untilSignal } from '../../../../cli/until-signal.ts';
import { CodedError, errorText } from '../../../../errors/coded-error.ts';
import { createRehearser } from '../../../../ext-processor/rehearser.ts';
import { formatAddress } from '../../../../filecoin/address.ts';
import { Bitfield } from '../../../../filecoin/bitfield.ts';
import type { DeadlineInfo } from '../../../../filecoin/deadline.ts';
import { readSectors, type SectorReading } from '../../../../poster/read-sectors.ts';
import { declarableDeadlines, type Recoverable, recoveryMessages } from '../../../../poster/recoveries.ts';
import { declaredSectors, storeRecovery } from '../../../../poster/recovery-store.ts';
import { recoveryTrouble } from '../../../../poster/recovery-trouble.ts';
import type { Verb } from '../verb.ts';
import { type MinerScope, minerScope } from './miner-scope.ts';
import { storeChecker } from './partition-scope.ts';
import { senderOf } from './sender.ts';
import { deadlineIndex } from './usage.ts';

/** Deadlines, as the manager does it. */
const AT_ONCE = 4;

export const recoverFaults: Verb = {
  name: 'recover-faults',
  about:
    'declare recovered those faulty sectors that give a real vanilla proof; the running manager sends the messages',
  options: [
    { flags: '--deadline <index>', about: 'only this deadline (default: every one that can be declared for)' },
    { flags: '--from <address>', about: 'who pays (default: [Miners.PoSt] Sender)' },
    { flags: '--exid <id>', about: 'accepted for existing scripts; messages get their ids from the manager' },
  ],
  async run(toolbox, written) {
    const signal = untilSignal();
    const scope = await minerScope(toolbox, written);
    const { chain, minerId, address, head, current } = scope;
    const { address: sender, settings } = await senderOf(toolbox, scope, written);
    const db = await toolbox.database();
    const info = await chain.minerInfo(address, head.key);
    const trouble = await recoveryTrouble(chain, { address, info }, head);
    if (trouble !== undefined) throw new CodedError('recovery-blocked', trouble);
    const components = { checker: await storeChecker(toolbox), rehearser: createRehearser(toolbox) };
    const looks = await sideBySide(chosenDeadlines(current, written.options.deadline), async (deadline) => {
      const open = { minerId, deadline: deadline.index, open: deadline.open };
      try {
        const declared = await declaredSectors(db.kysely, open, head.height);
        const init = { declared, proofType: info.windowPoStProofType, signal };
        return { deadline, read: await readFaults(components, scope, deadline, init) };
      } catch (error) {
        // Holds up no other.
        signal.throwIfAborted();
        return { deadline, read: [], reason: errorText(error) };
      }
    });
    const readings = looks.flatMap(({ read }) => read);
    const found = looks.flatMap(({ deadline, read }) => recoverables(deadline, read));
    const limits = { sectors: settings.maxRecoverSectorLimit, partitions: settings.maxPartitionsPerRecoveryMessage };
    const messages: { readonly messageId: string; readonly sectors: number }[] = [];
    for (const recoveries of recoveryMessages(found, limits)) {
      const stored = await storeRecovery(db, {
        minerId,
        sender,
        maxFee: settings.maxRecoveryFee,
        confidence: settings.confidence,
        recoveries,
        height: head.height,
        now: toolbox.clock.now(),
      });
      if (stored !== undefined) messages.push(stored);
    }
    const rows = readings.map((one) => [
      one.deadline,
      one.partition,
      one.number,
      one.verdict === 'good' ? 'good' : `${one.verdict} (${one.reason})`,
    ]);
    const failed = looks.flatMap(({ deadline, reason }) =>
      reason === undefined ? [] : [{ deadline: deadline.index, reason }],
    );
    const lines = messages.map(({ messageId, sectors }) => `${sectors} sectors are declared by message ${messageId}`);
    return {
      json: { miner: formatAddress(address), sectors: readings, messages, failed },
      text: [
        ...(rows.length === 0 ? [] : [textTable(['deadline', 'partition', 'sector', 'status'], rows)]),
        ...(lines.length === 0 ? ['No recoveries to declare'] : lines),
        ...(lines.length === 0 ? [] : ['follow a message with: sector-manager util message wait <id>']),
        ...failed.map(({ deadline, reason }) => `deadline ${deadline} could not be read: ${reason}`),
      ].join('\n'),
      exitCode: failed.length === 0 ? 0 : 1,
    };
  },
};

interface Place {
  readonly deadline: number;
  readonly partition: number;
}

/** A few at a time, each answered in its place. */
async function sideBySide<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...all.entries()];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, one] = next;
      results[index] = await work(one);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

function recoverables({ index, open }: DeadlineInfo, read: readonly (SectorReading & Place)[]): Recoverable[] {
  return [...new Set(read.map(({ partition }) => partition))].map((partition) => {
    const good = read.filter((reading) => reading.partition === partition && reading.verdict === 'good');
    return { deadline: index, partition, open, sectors: Bitfield.of(good.map(({ number }) => number)) };
  });
}

/** @throws CodedError `too-late` for one between its cutoff and its close */
function chosenDeadlines(current: DeadlineInfo, text: unknown): readonly DeadlineInfo[] {
  const declarable = declarableDeadlines(current);
  if (text === undefined) return declarable;
  const index = deadlineIndex(text, '--deadline');
  const chosen = declarable.filter((deadline) => deadline.index === index);
  if (chosen.length > 0) return chosen;
  const { faultDeclarationCutoff } = current.policy;
  throw new CodedError(
    'too-late',
    `from ${faultDeclarationCutoff} epochs before deadline ${index} opens until it closes nothing can be declared for it`,
  );
}

/** Faulty sectors that are neither recovering nor declared, one partition after the other, since they read the same disks. */
async function readFaults(
  components: Parameters<typeof readSectors>[0],
  { chain, minerId, address, head }: MinerScope,
  { index }: DeadlineInfo,
  init: { readonly declared: Bitfield; readonly proofType: number; readonly signal: AbortSignal },
): Promise<(SectorReading & Place)[]> {
  const readings: (SectorReading & Place)[] = [];
  const partitions = await chain.partitions(address, index, head.key);
  for (const [partition, { faulty, recovering }] of partitions.entries()) {
    const wanted = faulty.subtract(recovering).subtract(init.declared);
    if (wanted.isEmpty) continue;
    const sectors = await chain.sectors(address, wanted, head.key);
    const read = await readSectors(components, { minerId, proofType: init.proofType, sectors, signal: init.signal });
    readings.push(...read.map((reading) => ({ ...reading, deadline: index, partition })));
  }
  return readings;
}
