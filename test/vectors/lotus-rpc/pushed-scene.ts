import { idAddress, parseAddress } from '../../../src/filecoin/address.ts';
import { type LotusSignedMessage, messageFromJson, signedMessageToJson } from '../../../src/filecoin/message-json.ts';
import { Exit } from '../../../src/programs/devnet/actor/abort.ts';
import { type Call, field } from './exchange.ts';
import { openAt } from './message-scene.ts';
import { isCid, localAddress, localParams, type Scene } from './scene.ts';
import { MINER, type World } from './world.ts';

const HEAD = 156;

/** The scene of a call that asks for a message by its CID: landed, replaced or still waiting as recorded. */
export async function lookupScene(call: Call): Promise<Scene> {
  const world = await openAt(HEAD, {});
  const cid = await messageAsRecorded(world, call);
  let seen = false;
  const params = localParams(world, call).map((param) => {
    if (seen || !isCid(param) || field(param, '/') === 'not-a-cid') return param;
    seen = true;
    return { '/': cid };
  });
  return { world, params };
}

async function messageAsRecorded(world: World, call: Call): Promise<string> {
  const asked = call.params.find(isCid);
  const found = field(call.result, 'Message', '/');
  const isReplaced =
    (found !== undefined && found !== field(asked, '/')) || (call.result === null && call.params[3] === false);
  const code = field(call.result, 'Receipt', 'ExitCode') ?? field(call.result, 'MsgRct', 'ExitCode');
  const cid =
    code === undefined ? world.push({ to: parseAddress(world.owner), value: 1n }) : pushFor(world, Number(code));
  if (isReplaced)
    world.push({ to: parseAddress(world.owner), value: 1n, nonce: 0, gasFeeCap: 300_000n, gasPremium: 200_000n });
  const isWaiting = call.result === null && !isReplaced;
  if (!isWaiting) await world.mineTo(HEAD + 4);
  return cid;
}

/** A message that lands with this exit code. */
function pushFor(world: World, exitCode: number): string {
  switch (exitCode) {
    case Exit.illegalArgument:
      return world.submit(40);
    case Exit.notFound:
      return world.submit(0, [7]);
    case Exit.forbidden:
      return world.push({
        from: parseAddress(world.stranger),
        to: idAddress(MINER),
        method: 10,
        params: Uint8Array.of(0x81, 0x80),
      });
    case Exit.serialization:
      return world.push({ method: 5, params: Uint8Array.of(0x85) });
    case Exit.outOfGas:
      return world.push({ gasLimit: 1000 });
    default:
      return world.push({ to: parseAddress(world.owner), value: 1n });
  }
}

/** The scene of MpoolPush: the recorded message signed with a key of this world, after what its outcome presupposes. */
export async function pushScene(call: Call): Promise<Scene> {
  const world = await openAt(HEAD, {});
  const recorded = messageFromJson((call.params[0] as LotusSignedMessage).Message);
  const toMiner = recorded.to.protocol === 0;
  const from = parseAddress(toMiner ? world.worker : world.stranger);
  const to = parseAddress(localAddress(world, call, String(field(call.params[0], 'Message', 'To'))));
  const message = { ...recorded, from, to };
  const landed = Number(/minimum expected nonce is (\d+)/.exec(call.error)?.[1] ?? 0);
  for (let sent = 0; sent < landed; sent++) world.push({ from });
  if (landed > 0) await world.mineTo(HEAD + 2);
  if (call.error.includes('to trigger replace by fee')) world.push({ ...message, gasPremium: message.gasPremium - 1n });
  if (call.error.includes('already exists')) world.push(message);
  return { world, params: [signedMessageToJson(world.node.wallet.signMessage(from, message))] };
}
