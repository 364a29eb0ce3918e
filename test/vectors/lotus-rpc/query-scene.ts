import { parseAddress } from '../../../src/filecoin/address.ts';
import { Bitfield } from '../../../src/filecoin/bitfield.ts';
import { encodeCbor } from '../../../src/filecoin/cbor.ts';
import { address, list, tuple } from '../../../src/filecoin/codecs.ts';
import { MinerMethod } from '../../../src/filecoin/miner-methods.ts';
import { type Call, field } from './exchange.ts';
import { defaultLayout, genesisSector, openAt } from './message-scene.ts';
import { headInText, localParams, openOf, type Scene } from './scene.ts';
import type { World } from './world.ts';

type SceneOf = (call: Call) => Promise<World>;

/** In the first deadline, when nothing has happened yet. */
const DEFAULT_HEAD = 156;

/** Worlds of queries that need more than a chain. */
const worlds: Readonly<Record<string, SceneOf>> = {
  'Filecoin.ChainGetTipSetByHeight': nullRoundWorld,
  'Filecoin.ChainGetTipSetAfterHeight': nullRoundWorld,
  'Filecoin.StateGetRandomnessFromBeacon': randomnessWorld,
  'Filecoin.StateGetRandomnessFromTickets': randomnessWorld,
  'Filecoin.StateMinerProvingDeadline': ({ result }) =>
    openAt(Number(field(result, 'CurrentEpoch') ?? DEFAULT_HEAD), {}),
  'Filecoin.StateMinerPartitions': partitionsWorld,
  'Filecoin.StateMinerFaults': faultsWorld,
  'Filecoin.StateMinerRecoveries': faultsWorld,
  'Filecoin.StateMinerSectors': sectorsWorld,
  'Filecoin.StateMinerActiveSectors': sectorsWorld,
  'Filecoin.StateSectorGetInfo': sectorsWorld,
  'Filecoin.StateSectorPartition': sectorsWorld,
  'Filecoin.StateMinerDeadlines': deadlinesWorld,
  'Filecoin.StateMinerInfo': infoWorld,
  'Filecoin.MpoolGetNonce': nonceWorld,
  'Filecoin.MpoolPending': pendingWorld,
};

export async function queryScene(call: Call): Promise<Scene> {
  const open = worlds[call.method] ?? ((asked: Call) => openAt(headInText(asked) ?? DEFAULT_HEAD, {}));
  const world = await open(call);
  return { world, params: localParams(world, call) };
}

/** A tipset of another height than asked for: the epochs between have none. */
async function nullRoundWorld(call: Call): Promise<World> {
  const asked = Number(call.params[0]);
  const head = headInText(call);
  if (head !== undefined) return openAt(head, {});
  const answered = Number(field(call.result, 'Height'));
  const world = await openAt(Math.min(asked, answered) - (answered > asked ? 1 : 0), {});
  if (answered !== asked) await world.node.chain.mine(Math.abs(answered - asked));
  await world.mineTo(asked + 5);
  return world;
}

function randomnessWorld(call: Call): Promise<World> {
  const epoch = Number(call.params[1]);
  return openAt(/future|zero length/.test(call.error) ? 12 : epoch + 2, {});
}

/** Partitions with the recorded sectors, made faulty and recovering by declarations. */
async function partitionsWorld(call: Call): Promise<World> {
  const deadline = Number(call.params[1]);
  const recorded = Array.isArray(call.result) ? call.result : [];
  const runs = (partition: unknown, name: string) => Bitfield.fromJsonRuns(field(partition, name));
  const sectors = recorded.flatMap((partition) =>
    [...runs(partition, 'AllSectors')].map((number) => genesisSector(number, deadline)),
  );
  const world = await openAt(openOf(Number.isInteger(deadline) ? deadline : 0) - 120, { sectors });
  for (const [index, partition] of recorded.entries()) {
    const faulty = runs(partition, 'FaultySectors');
    if (!faulty.isEmpty) world.declare('faults', deadline, index, faulty);
    const recovering = runs(partition, 'RecoveringSectors');
    if (!recovering.isEmpty) world.declare('recovered', deadline, index, recovering);
  }
  await world.mineTo(world.node.chain.head.height + 2);
  return world;
}

async function faultsWorld(call: Call): Promise<World> {
  const numbers = Array.isArray(call.result) ? Bitfield.fromJsonRuns(call.result) : Bitfield.empty;
  const late = 40;
  const sectors = [...numbers].map((number) =>
    genesisSector(number, late + Math.floor([...numbers].indexOf(number) / 2)),
  );
  const world = await openAt(DEFAULT_HEAD, { sectors });
  for (const [index, { partitions }] of world.miner.deadlines.entries()) {
    for (const [number, { all }] of partitions.entries()) {
      world.declare('faults', index, number, all);
      if (call.method.endsWith('Recoveries')) world.declare('recovered', index, number, all);
    }
  }
  await world.mineTo(DEFAULT_HEAD + 2);
  return world;
}

/** The sectors that were found, in the deadline and partition that was answered. */
function sectorsWorld(call: Call): Promise<World> {
  const { result } = call;
  const found = (Array.isArray(result) ? result : [result])
    .flatMap((sector) => field(sector, 'SectorNumber') ?? [])
    .map(Number);
  const sectors = new Map(defaultLayout().map((sector) => [sector.number, sector]));
  for (const number of found)
    if (!sectors.has(number)) sectors.set(number, genesisSector(number, 10 + Math.floor((number % 60) / 2)));
  const deadline = field(result, 'Deadline');
  if (typeof deadline === 'number') {
    // Partitions fill up in the order of the numbers: smaller ones take the places before it.
    const number = Number(call.params[1]);
    const before = 2 * Number(field(result, 'Partition'));
    const others = [...sectors.values()].filter(
      (sector) => sector.deadline !== deadline && sector.number !== number && sector.number >= before,
    );
    const inFront = Array.from({ length: before }, (_, index) => genesisSector(index, deadline));
    return openAt(DEFAULT_HEAD, { sectors: [...others, ...inFront, genesisSector(number, deadline)] });
  }
  return openAt(DEFAULT_HEAD, { sectors: [...sectors.values()] });
}

/** Proofs recorded in the deadlines that have posts, and in closed ones with disputable proofs. */
async function deadlinesWorld(call: Call): Promise<World> {
  const recorded = Array.isArray(call.result) ? call.result : [];
  const proven = recorded.flatMap((deadline, index) => {
    const posted = Bitfield.fromJsonRuns(field(deadline, 'PostSubmissions') ?? null);
    const isDisputable = Number(field(deadline, 'DisputableProofCount') ?? 0) > 0;
    return posted.isEmpty && !isDisputable ? [] : [{ index, partitions: posted.isEmpty ? [0] : [...posted] }];
  });
  const world = await openAt(openOf(proven[0]?.index ?? 0) - 10, {});
  for (const { index, partitions } of proven) {
    await world.mineTo(openOf(index) + 2);
    world.submit(index, partitions);
  }
  await world.mineTo(world.node.chain.head.height + 2);
  const isOpen = recorded.some(
    (deadline) => !Bitfield.fromJsonRuns(field(deadline, 'PostSubmissions') ?? null).isEmpty,
  );
  if (proven.length > 0 && !isOpen) await world.mineTo(openOf((proven.at(-1)?.index ?? 0) + 1) + 1);
  return world;
}

async function infoWorld(call: Call): Promise<World> {
  const world = await openAt(DEFAULT_HEAD, {});
  const control = field(call.result, 'ControlAddresses');
  if (!Array.isArray(control)) return world;
  const params = encodeCbor(tuple({ newWorker: address, newControlAddresses: list(address) }), {
    newWorker: parseAddress(world.worker),
    newControlAddresses: control.map(() => parseAddress(world.stranger)),
  });
  world.push({ from: parseAddress(world.owner), method: MinerMethod.ChangeWorkerAddress, params });
  await world.mineTo(DEFAULT_HEAD + 2);
  return world;
}

async function nonceWorld(call: Call): Promise<World> {
  const world = await openAt(DEFAULT_HEAD, {});
  const sender = String(call.params[0]).startsWith('t3') ? world.owner : world.worker;
  for (let sent = 0; sent < Number(call.result ?? 0); sent++) world.push({ from: parseAddress(sender) });
  return world;
}

/** As many messages as recorded; ones with null for empty parameters came back from a block. */
async function pendingWorld(call: Call): Promise<World> {
  const world = await openAt(DEFAULT_HEAD, {});
  const recorded = Array.isArray(call.result) ? call.result : [];
  for (const pending of recorded) {
    const params = new Uint8Array(field(pending, 'Message', 'Params') ? 3 : 0);
    world.push({ params });
  }
  if (recorded.some((pending) => field(pending, 'Message', 'Params') === null)) {
    await world.node.chain.mine();
    await world.node.chain.rewind(1);
  }
  return world;
}
