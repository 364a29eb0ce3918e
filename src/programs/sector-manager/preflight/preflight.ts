import type { Chain } from '../../../chain/chain.ts';
import type { Clock } from '../../../clock/clock.ts';
import { withTimeLimit } from '../../../clock/time-limit.ts';
import type { Endpoint } from '../../../config/endpoint.ts';
import { shownUrl } from '../../../config/shown-url.ts';
import { type Database, databaseNow } from '../../../database/database.ts';
import { errorText } from '../../../errors/coded-error.ts';
import type { Verifier } from '../../../ext-processor/verifier.ts';
import { formatAddress } from '../../../filecoin/address.ts';
import { poStProofType } from '../../../filecoin/proof-types.ts';
import { LEAST_FUNDS } from '../../../outbox/sender-book.ts';
import { senderTrouble } from '../../../outbox/sender-trouble.ts';
import type { Carrier } from '../../../outbox/settings.ts';
import { checkParameters } from '../../../poster/check-parameters.ts';
import type { MinerSettings } from '../../../poster/components.ts';
import type { PersistStore } from '../../../stores/persist-store.ts';
import { StoreWatch } from '../../../stores/store-watch.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { reachGateway } from '../../../winning/gateway-link.ts';
import { filText } from '../util/fil-text.ts';
import { capacityText, readCapacity, readDemand } from './capacity.ts';
import { storesCheck } from './stores-check.ts';

/** What was found, and in `text` what to do where it is not `ok`. */
export interface Finding {
  readonly check: string;
  /** `fail`: deadlines will be lost. */
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly text: string;
}

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Rejects where there is none. */
  readonly chain: () => Promise<Chain>;
  readonly db: () => Promise<Database>;
  readonly verifier: Verifier;
}

interface PreflightInit {
  readonly miners: readonly MinerSettings[];
  readonly stores: readonly PersistStore[];
  /** Of the messages: a messager holds the senders' keys, else the chain node does. */
  readonly carrier: Carrier;
  /** Those that ask for winning proofs. */
  readonly gateways: readonly Endpoint[];
  /** False: children of the manager prove. Default: true. */
  readonly hasMaster?: boolean;
  /** The manager has just started the master, which needs a moment, as do its slaves to come back. Default: false. */
  readonly startsMaster?: boolean;
}

type Check = () => Promise<Omit<Finding, 'check'>>;

const LIMIT_MS = 30_000;
/** Three epochs without a block happen; more is a node that stands still. */
const OLD_HEAD_MS = 120_000;
/** Blocks carry the time of their epoch's beginning, so a head from the future is our clock's doing. */
const DRIFT_MS = 5_000;
const STORE_LIMIT_MS = 10_000;
const MASTER_SILENCE_MS = 10_000;
const START_LIMIT_MS = 20_000;
const START_LOOK_MS = 500;
/** No message has it. */
const NO_UID = 'wdpost-preflight';

/** Looks at everything that posting needs, all at the same time; what cannot be found out counts as `fail`. */
export async function preflight(components: Components, init: PreflightInit): Promise<Finding[]> {
  const { miners, stores, carrier, gateways, hasMaster = true, startsMaster = false } = init;
  const settled = (look: Check): Check => (startsMaster ? () => untilStarted(components.clock, look) : look);
  const checks: [string, Check][] = [
    ['chain node', () => chainCheck(components)],
    ...miners.map((miner): [string, Check] => [
      `sender of t0${miner.minerId}`,
      () => senderCheck(components, miner, carrier),
    ]),
    ...miners.map((miner): [string, Check] => [
      `parameters of t0${miner.minerId}`,
      () => parametersCheck(components, miner),
    ]),
    ...stores.map((store): [string, Check] => [`store ${store.name}`, () => storeCheck(components, store)]),
    ['stores', () => storesCheck(components, stores)],
    ...(carrier.kind === 'messager' ? [['messager', () => messagerCheck(carrier)] satisfies [string, Check]] : []),
    ...gateways.map((gateway): [string, Check] => [
      `gateway ${shownUrl(gateway.url)}`,
      () => gatewayCheck(components, gateway),
    ]),
    ['database', () => databaseCheck(components)],
    ...(hasMaster ? [['master', settled(() => masterCheck(components))] satisfies [string, Check]] : []),
    ['capacity', settled(() => capacityCheck(components, miners))],
  ];
  return await Promise.all(
    checks.map(async ([check, look]) => {
      try {
        return { check, ...(await withTimeLimit(components.clock, LIMIT_MS, check, look())) };
      } catch (error) {
        return { check, verdict: 'fail', text: errorText(error) };
      }
    }),
  );
}

const LEVELS = { ok: 'info', warn: 'warn', fail: 'error' } as const;

export function logFindings(logger: Logger, findings: readonly Finding[]): void {
  for (const { check, verdict, text } of findings) logger[LEVELS[verdict]]({ check, verdict, text }, 'preflight');
}

async function chainCheck({ clock, chain }: Components) {
  const node = await chain();
  const [head, network] = await Promise.all([node.head(), node.networkName()]);
  const ageMs = clock.now() - head.minTimestamp * 1000;
  if (ageMs < -DRIFT_MS) {
    return warn(
      `its head is ${seconds(-ageMs)} in the future: the clock of this machine is behind; synchronise it (NTP)`,
    );
  }
  if (ageMs > OLD_HEAD_MS) {
    return warn(`its head is ${seconds(ageMs)} old: the node is behind, or the clock of this machine is ahead`);
  }
  return ok(`height ${head.height} of ${network}`);
}

async function senderCheck(components: Components, miner: MinerSettings, carrier: Carrier) {
  const chain = await components.chain();
  const head = await chain.head();
  const trouble = await senderTrouble({ chain, carrier }, miner, head);
  if (trouble !== undefined) return fail(trouble);
  const sender = formatAddress(miner.sender);
  const balance = await chain.actorBalance(miner.sender, head.key);
  const funds = `it has ${filText(balance)}`;
  if (balance < LEAST_FUNDS)
    return warn(`${sender} may send, but ${funds}, less than ${filText(LEAST_FUNDS)}: send it funds`);
  const signer = carrier.kind === 'messager' ? 'a wallet of the messager' : 'the node';
  return ok(`${sender} may send, ${signer} can sign for it, and ${funds}`);
}

async function messagerCheck({ messager }: Extract<Carrier, { kind: 'messager' }>) {
  await messager.get(NO_UID);
  return ok('answers, and takes the token');
}

async function gatewayCheck({ clock }: Components, gateway: Endpoint) {
  await reachGateway(clock, gateway);
  return ok('answers, and takes the token');
}

/** Looks again while it fails. */
async function untilStarted(clock: Clock, look: Check): ReturnType<Check> {
  for (const until = clock.monotonic() + START_LIMIT_MS; ; await clock.sleep(START_LOOK_MS)) {
    const found = await look();
    if (found.verdict !== 'fail' || clock.monotonic() >= until) return found;
  }
}

async function parametersCheck({ chain, verifier }: Components, miner: MinerSettings) {
  const node = await chain();
  const info = await node.minerInfo(miner.address, (await node.head()).key);
  await checkParameters(verifier, miner.minerId, info.windowPoStProofType);
  return ok(`proofs of ${poStProofType(info.windowPoStProofType).name} can be verified`);
}

async function storeCheck(components: Components, store: PersistStore) {
  const watch = new StoreWatch(components, { store, timeoutMs: STORE_LIMIT_MS });
  try {
    const { trouble, filled } = await watch.probe([]);
    if (trouble !== undefined) return fail(`${store.path}: ${trouble}`);
    if (filled.length === 0) return warn(`${store.path} holds no sectors: is it mounted?`);
    return ok(`${store.path} answers`);
  } finally {
    watch.close();
  }
}

async function databaseCheck({ db }: Components) {
  await (await db()).kysely.selectFrom('leadership').select('epoch').execute();
  return ok('answers, and has its tables');
}

async function masterCheck({ db }: Components) {
  const row = await (await db()).kysely
    .selectFrom('leadership')
    .innerJoin('masters', 'masters.name', 'leadership.master')
    .select(['masters.address', 'masters.seen_at', databaseNow.as('now')])
    .where('leadership.id', '=', 1)
    .executeTakeFirst();
  if (row === undefined) return fail('none ever ran on this database: start wdpost-master-daemon');
  const silentMs = row.now - row.seen_at;
  if (silentMs <= MASTER_SILENCE_MS) return ok(`${row.address} leads`);
  return fail(`none leads; the last one was ${row.address}: start wdpost-master-daemon there, or see its log`);
}

async function capacityCheck({ chain, db }: Components, miners: readonly MinerSettings[]) {
  const capacity = await readCapacity(await db(), await readDemand(await chain(), miners));
  const text = capacityText(capacity);
  if (capacity.ready < capacity.needed) return fail(`${text}: deadlines will be lost; start more slaves`);
  return capacity.needed > 0 && capacity.ready === capacity.needed ? warn(`${text}: add a slave`) : ok(text);
}

const ok = (text: string) => ({ verdict: 'ok', text }) as const;
const warn = (text: string) => ({ verdict: 'warn', text }) as const;
const fail = (text: string) => ({ verdict: 'fail', text }) as const;
const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
