import type { Address } from '../filecoin/address.ts';
import { decodeCbor } from '../filecoin/cbor.ts';
import { messageCid } from '../filecoin/message.ts';
import { MinerMethod } from '../filecoin/miner-methods.ts';
import { declareFaultsRecoveredParams } from '../filecoin/miner-params.ts';
import { mainnetPolicy } from '../filecoin/policy.ts';
import type { SendingComponents } from './components.ts';
import { draftOf } from './draft.ts';
import { isUidTaken } from './message-store.ts';
import type { Messager } from './messager.ts';
import type { IntendedMessage } from './outbox-message.ts';

/** The replaced system declares recoveries of the deadline so far ahead of the one it proves, and names that one in the id. */
const DEADLINES_AHEAD = 2;

/**
 * The id under which a message is given to a messager. First the one of the replaced system, so that the two cannot both send it; a
 * messager never sends a second message under one id, so a later one of the same content has a number after it. A message that the
 * messager has under an id that is not ours, and that may still land, is taken up.
 */
export async function chooseUid(
  { db, rules }: SendingComponents,
  messager: Messager,
  message: IntendedMessage,
  sender: Address,
): Promise<string> {
  const first = firstUid(message, sender, rules(message.minerId).gasFeeCap);
  for (let number = 0; ; number++) {
    const uid = number === 0 ? first : `${first}-${number}`;
    if (await isUidTaken(db, uid)) continue;
    const held = await messager.get(uid);
    if (held === undefined || held.state === 'waiting' || held.state === 'signed') return uid;
    if (held.state === 'on-chain' && held.exitCode === 0) return uid;
  }
}

/** The CID of the message as it is given to the messager; of a declaration with the deadline that was open then. */
export function firstUid(message: IntendedMessage, sender: Address, gasFeeCap: bigint): string {
  const cid = messageCid({ ...draftOf(message, sender), gasFeeCap }).toString();
  if (message.method === MinerMethod.SubmitWindowedPoSt || message.expiresEpoch === null) return cid;
  const { periodDeadlines, challengeWindow, faultDeclarationCutoff } = mainnetPolicy;
  const [first] = decodeCbor(declareFaultsRecoveredParams, message.params).recoveries;
  const deadline = ((first?.deadline ?? 0) + periodDeadlines - DEADLINES_AHEAD) % periodDeadlines;
  const open = message.expiresEpoch + faultDeclarationCutoff - DEADLINES_AHEAD * challengeWindow;
  return `${cid}-${deadline}-${open}`;
}
