import { CodedError } from '../../../../errors/coded-error.ts';
import { encodeCbor } from '../../../../filecoin/cbor.ts';
import { newDeadline, nextNotElapsed } from '../../../../filecoin/deadline.ts';
import { MinerMethod } from '../../../../filecoin/miner-methods.ts';
import { declareFaultsParams } from '../../../../filecoin/miner-params.ts';
import { addIntent } from '../../../../outbox/add-intent.ts';
import type { Verb } from '../verb.ts';
import { minerScope } from './miner-scope.ts';
import { sectorList } from './sector-list.ts';
import { senderOf } from './sender.ts';
import { deadlineIndex, isSet, numberOption } from './usage.ts';

const WARNING =
  "a declared sector pays a fault fee of 3.51 days of its expected reward at its deadline's Close, as a skipped one does; one whose partition " +
  'is left unproven pays none at that Close. Sectors that the poster cannot read are dealt with by itself';

/** The poster never does this: it skips, or leaves a partition out. */
export const declareFaults: Verb = {
  name: 'declare-faults',
  example: '--deadline 5 --partition 0 --sectors 1,5,7-9 --really-do-it',
  about: 'declare sectors faulty; costs a fee. The running manager sends the message',
  options: [
    { flags: '--deadline <index>', about: 'deadline' },
    { flags: '--partition <index>', about: 'partition' },
    { flags: '--sectors <list>', about: 'sector numbers, 1,5,7-9' },
    { flags: '--from <address>', about: 'who pays (default: [Miners.PoSt] Sender)' },
    { flags: '--really-do-it', about: 'without it only the warning is shown' },
  ],
  async run(toolbox, written) {
    const index = deadlineIndex(written.options.deadline, '--deadline');
    const partition = numberOption(written, 'partition', '--partition');
    const sectors = sectorList(written.options.sectors);
    const scope = await minerScope(toolbox, written);
    const { chain, minerId, address, head, current } = scope;
    const { live, faulty } = (await chain.partitions(address, index, head.key))[partition] ?? {};
    const strange = live === undefined ? sectors : sectors.subtract(live);
    if (!strange.isEmpty) {
      const first = strange.first;
      throw new CodedError('wrong-sector', `sector ${first} is not in deadline ${index}, partition ${partition}`);
    }
    const declared = faulty === undefined ? sectors : sectors.subtract(faulty);
    const { open, faultCutoff } = nextNotElapsed(newDeadline(current.periodStart, index, head.height, current.policy));
    if (declared.isEmpty)
      throw new CodedError('nothing-to-do', 'the chain counts all of these sectors as faulty already');
    if (head.height >= faultCutoff) {
      throw new CodedError(
        'too-late',
        `nothing can be declared for deadline ${index} from epoch ${faultCutoff} until it closes`,
      );
    }
    const json = { deadline: index, partition, sectors: [...declared], open, warning: WARNING };
    if (!isSet(written, 'reallyDoIt')) {
      const text = `${declared.count} sectors would be declared faulty: ${WARNING}.\nAdd --really-do-it to do it.`;
      return { json: { ...json, message: null }, text, exitCode: 1 };
    }
    const { address: sender, settings } = await senderOf(toolbox, scope, written);
    const db = await toolbox.database();
    const params = encodeCbor(declareFaultsParams, { faults: [{ deadline: index, partition, sectors: declared }] });
    const message = await db.transaction((trx) =>
      addIntent(trx, {
        minerId,
        purpose: 'recover',
        runId: null,
        sender,
        recipient: address,
        method: MinerMethod.DeclareFaults,
        params,
        maxFee: settings.maxRecoveryFee,
        expiresEpoch: faultCutoff,
        confidence: settings.confidence,
      }),
    );
    const text = `DETECTED FAULTY SECTORS, declaring faults: ${declared.count} sectors, message ${message}\n${WARNING}`;
    return { json: { ...json, message }, text };
  },
};
