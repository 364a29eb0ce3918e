import { Bitfield } from '../../../src/filecoin/bitfield.ts';
import { type Codec, decodeCbor, encodeCbor } from '../../../src/filecoin/cbor.ts';
import { MinerMethod } from '../../../src/filecoin/miner-methods.ts';
import {
  declareFaultsParams,
  declareFaultsRecoveredParams,
  disputeWindowedPoStParams,
  type SubmitWindowedPoStParams,
  submitWindowedPoStParams,
} from '../../../src/filecoin/miner-params.ts';
import type { GenesisSector } from '../../../src/programs/devnet/state/genesis-miner.ts';
import { type Call, field } from './exchange.ts';
import { headInText, localAddress, localParams, openOf, type Scene } from './scene.ts';
import { World, type WorldInit } from './world.ts';

const PERIOD = 2880;

/** The scene of a call whose parameter `index` is a message that is executed. */
export async function messageScene(call: Call, index: number): Promise<Scene> {
  const encoded = Uint8Array.from(Buffer.from(String(field(call.params[index], 'Params') ?? ''), 'base64'));
  const toMiner = /^[tf]0/.test(String(field(call.params[index], 'To')));
  const method = toMiner ? field(call.params[index], 'Method') : 0;
  if (method === MinerMethod.SubmitWindowedPoSt) return submitScene(call, index, encoded);
  if (method === MinerMethod.DeclareFaults)
    return declareScene(call, index, tryDecode(declareFaultsParams, encoded)?.faults ?? []);
  if (method === MinerMethod.DeclareFaultsRecovered) {
    return declareScene(call, index, tryDecode(declareFaultsRecoveredParams, encoded)?.recoveries ?? []);
  }
  if (method === MinerMethod.DisputeWindowedPoSt)
    return disputeScene(call, index, tryDecode(disputeWindowedPoStParams, encoded)?.deadline ?? 0);
  const world = await openAt(headInText(call) ?? 12, {});
  return { world, params: withMessage(world, call, index, toMiner) };
}

async function submitScene(call: Call, index: number, encoded: Uint8Array): Promise<Scene> {
  const submitted = tryDecode(submitWindowedPoStParams, encoded);
  if (submitted === undefined) {
    const world = await openAt(headInText(call) ?? 12, {});
    return { world, params: withMessage(world, call, index, true) };
  }
  const { deadline, chainCommitEpoch } = submitted;
  const period = Math.max(0, Math.floor((chainCommitEpoch - openOf(deadline) + 20) / PERIOD));
  const open = openOf(deadline) + PERIOD * period;
  const head = headInText(call) ?? Math.max(open + 4, chainCommitEpoch + 2);
  const sectors = /no such partition|invalid deadline \d+ of/.test(call.error) ? {} : { sectors: sectorsOf(submitted) };
  const partitions = submitted.partitions.map((partition) => partition.index);

  let world: World;
  if (call.error.includes('invalid post')) {
    const reason = /crypto::verify_post -- (.*) \(\d+: /.exec(call.error)?.[1] ?? null;
    world = await openAt(open - 200, { ...sectors, verdict: { valid: false, reason } });
    for (const kind of ['faults', 'recovered'] as const) {
      for (const partition of partitions)
        world.declare(kind, deadline, partition, sectorsIn(world, deadline, partition));
      await world.node.chain.mine();
    }
    await world.mineTo(head);
  } else if (call.error.includes('already proven')) {
    world = await openAt(head - 1, sectors);
    world.submit(deadline, partitions);
    await world.mineTo(head);
  } else {
    world = await openAt(head, sectors);
  }
  const isMismatch = call.error.includes('mismatched');
  const chainCommitRand = isMismatch ? submitted.chainCommitRand : world.commitRandomness(chainCommitEpoch);
  return {
    world,
    params: withMessage(
      world,
      call,
      index,
      true,
      encodeCbor(submitWindowedPoStParams, { ...submitted, chainCommitRand }),
    ),
  };
}

async function declareScene(
  call: Call,
  index: number,
  declarations: readonly { readonly deadline: number; readonly sectors: Bitfield }[],
): Promise<Scene> {
  const earliest = Math.min(...declarations.map(({ deadline }) => openOf(deadline)), openOf(47));
  const sectors = new Map(defaultLayout().map((sector) => [sector.number, sector]));
  const isForeign = /no such partition|not all sectors/.test(call.error);
  for (const { deadline, sectors: numbers } of isForeign ? [] : declarations) {
    for (const number of numbers) if (number < 10_000) sectors.set(number, genesisSector(number, deadline));
  }
  const isLate = call.error.includes('late fault');
  const world = await openAt(earliest - (isLate ? 30 : 120), { sectors: [...sectors.values()] });
  return { world, params: withMessage(world, call, index, true) };
}

async function disputeScene(call: Call, index: number, deadline: number): Promise<Scene> {
  const valid = call.error !== '';
  const world = await openAt(openOf(deadline) + 2, { verdict: { valid, reason: null } });
  if (!/proof \d+ not found/.test(call.error)) world.submit(deadline);
  const tooEarly = call.error.includes('dispute window');
  // The chain's own disputer must not be first.
  await world.mineTo(openOf(deadline) + (tooEarly ? 4 : 60));
  return { world, params: withMessage(world, call, index, true) };
}

/** The call's parameters with the message sent by an account of this world, and with these encoded parameters if given. */
function withMessage(
  world: World,
  call: Call,
  index: number,
  toMiner: boolean,
  encoded?: Uint8Array,
): readonly unknown[] {
  const params = [...localParams(world, call)];
  const message = Object(call.params[index]);
  const isStranger = call.error.includes('not one of supported');
  const localFrom = String(message.From).startsWith('t0') ? world.idOf(world.worker) : world.worker;
  params[index] = {
    ...message,
    To: localAddress(world, call, message.To),
    From: isStranger ? world.stranger : toMiner ? localFrom : localAddress(world, call, message.From),
    ...(encoded && { Params: Buffer.from(encoded).toString('base64') }),
  };
  return params;
}

export async function openAt(height: number, init: Omit<WorldInit, 'start'>): Promise<World> {
  const world = await World.open({ start: Math.max(0, height - 3), ...init });
  await world.mineTo(height);
  return world;
}

/** The default layout, with as many partitions in the deadline as the message proves. */
function sectorsOf({ deadline, partitions }: SubmitWindowedPoStParams): GenesisSector[] {
  const layout = defaultLayout().filter((sector) => sector.deadline !== deadline);
  const highest = Math.min(Math.max(0, ...partitions.map(({ index }) => index)), 50);
  for (let number = 2 * deadline; number < 2 * deadline + 2; number++) layout.push(genesisSector(number, deadline));
  for (let number = 92; number < 92 + 2 * highest; number++) layout.push(genesisSector(number, deadline));
  return layout;
}

export const defaultLayout = (): GenesisSector[] =>
  Array.from({ length: 10 }, (_, number) => genesisSector(number, Math.floor(number / 2)));

export const genesisSector = (number: number, deadline: number): GenesisSector => ({
  number,
  deadline,
  commR: new Uint8Array(32).fill((number % 200) + 1),
});

function sectorsIn(world: World, deadline: number, partition: number): Bitfield {
  return world.miner.deadlines[deadline]?.partitions[partition]?.all ?? Bitfield.empty;
}

function tryDecode<T>(codec: Codec<T>, encoded: Uint8Array): T | undefined {
  try {
    return decodeCbor(codec, encoded);
  } catch {
    return undefined;
  }
}
