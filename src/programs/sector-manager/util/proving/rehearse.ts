import { randomBytes } from 'node:crypto';
import type { SectorInfo } from '../../../../chain/sector-info.ts';
import { textTable } from '../../../../cli/text-table.ts';
import { REHEARSAL_LIMIT_MS, type RehearsalFault, rehearsalFaults } from '../../../../ext-processor/rehearser.ts';
import { Bitfield } from '../../../../filecoin/bitfield.ts';
import { poStProofType } from '../../../../filecoin/proof-types.ts';
import { epochLength } from '../../../../poster/epoch-time.ts';
import { checkSectors } from '../../../../poster/read-sectors.ts';
import { windowTask } from '../../../../poster/window-task.ts';
import type { RpcClient } from '../../../../rpc/rpc-client.ts';
import { type RehearsalOutput, rehearsalOutput } from '../../../../rpc/window-post.ts';
import { SectorIndex } from '../../../../stores/index/sector-index.ts';
import type { SectorCheck, SectorCopy } from '../../../../stores/sector-check.ts';
import type { StoreChecker } from '../../../../stores/store-checker.ts';
import { tellStores } from '../../master-connection.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Verb, Written } from '../verb.ts';
import { masterClient } from './master-tasks.ts';
import { type MinerScope, minerScope } from './miner-scope.ts';
import { storeChecker } from './partition-scope.ts';
import { type RehearsedSector, type StoreRehearsal, storeRehearsals } from './rehearsal-report.ts';
import { deadlineIndex, usage, wholeNumber } from './usage.ts';

/** Several slaves may be tried. */
const ASK_LIMIT_MS = 2 * REHEARSAL_LIMIT_MS;
const DEADLINES = 48;
/** Where a slave does not say how many readers it has. */
const USUAL_READERS = 32;

interface PartitionRehearsal {
  readonly deadline: number;
  readonly partition: number;
  readonly sectors: number;
  readonly slave: string | null;
  readonly readingMs: number | null;
  readonly checkingMs: number | null;
}

interface CopiesRead {
  readonly answer: RehearsalOutput;
  /** Sector number → milliseconds. */
  readonly times: ReadonlyMap<number, number>;
  readonly faults: ReadonlyMap<number, RehearsalFault>;
}

interface Components {
  readonly master: RpcClient;
  readonly checker: StoreChecker;
  readonly index: SectorIndex;
  readonly scope: MinerScope;
  /** RegisteredPoStProof number. */
  readonly proofType: number;
}

export const rehearse: Verb = {
  name: 'rehearse',
  example: '--deadline 5 --store storage1',
  about:
    'have slaves read what proofs would read, without a proof or a message; exits with 1 where something is bad or too slow',
  options: [
    { flags: '--deadline <index>', about: 'only this deadline (default: all)' },
    { flags: '--partition <index>', about: 'only this partition of the deadline' },
    { flags: '--store <name>', about: 'only sectors that lie in this store, or should, or are nowhere' },
  ],
  async run(toolbox, written) {
    const wanted = wantedOf(written);
    const { components, windowMs } = await prepare(toolbox, written, wanted.store);
    const sectors: RehearsedSector[] = [];
    const partitions: PartitionRehearsal[] = [];
    let readers = USUAL_READERS;
    for (const deadline of wanted.deadlines) {
      const found = await components.scope.chain.partitions(
        components.scope.address,
        deadline,
        components.scope.head.key,
      );
      for (const [partition, { live }] of found.entries()) {
        if (live.isEmpty || (wanted.partition ?? partition) !== partition) continue;
        // One after the other, as a window's proofs would not be: each has the disks to itself.
        const one = await rehearsePartition(components, { deadline, partition, live, store: wanted.store });
        sectors.push(...one.sectors);
        if (one.partition !== undefined) partitions.push(one.partition);
        readers = one.readers ?? readers;
      }
    }
    if (sectors.length === 0) throw usage('there is no such sector: see deadlines --all, and the names of the stores');
    const { partitionSectors } = poStProofType(components.proofType);
    const stores = storeRehearsals(sectors, { readers, partitionSectors, windowMs });
    const notGood = sectors.filter(({ verdict }) => verdict !== 'good');
    return {
      json: { readers, partitionSectors, windowMs, stores, partitions, sectors: notGood },
      text: textOf(stores, partitions, sectors),
      exitCode: notGood.length === 0 && stores.every(({ fits }) => fits !== false) ? 0 : 1,
    };
  },
};

function wantedOf({ options }: Written) {
  const { deadline, partition, store } = options;
  if (partition !== undefined && deadline === undefined) throw usage('--partition needs --deadline');
  return {
    deadlines: deadline === undefined ? [...Array(DEADLINES).keys()] : [deadlineIndex(deadline, '--deadline')],
    partition: partition === undefined ? undefined : wholeNumber(partition, '--partition'),
    store: typeof store === 'string' ? store : undefined,
  };
}

async function prepare(toolbox: Toolbox, written: Written, store: string | undefined) {
  const scope = await minerScope(toolbox, written);
  const checker = await storeChecker(toolbox);
  const names = checker.stores.map(({ name }) => name);
  if (store !== undefined && !names.includes(store)) {
    throw usage(`--store: sector-manager.cfg has no store ${JSON.stringify(store)}, only ${names.join(', ')}`);
  }
  const { windowPoStProofType: proofType } = await scope.chain.minerInfo(scope.address, scope.head.key);
  const master = await masterClient(toolbox);
  await tellStores({ logger: toolbox.logger, master }, checker.stores);
  return {
    components: { master, checker, index: new SectorIndex({ db: await toolbox.database() }), scope, proofType },
    windowMs: scope.current.policy.challengeWindow * (await epochLength(scope.chain, scope.head)),
  };
}

async function rehearsePartition(
  { master, checker, index, scope, proofType }: Components,
  init: {
    readonly deadline: number;
    readonly partition: number;
    readonly live: Bitfield;
    readonly store: string | undefined;
  },
): Promise<{
  readonly sectors: RehearsedSector[];
  readonly partition?: PartitionRehearsal;
  readonly readers?: number | undefined;
}> {
  const { chain, address, minerId, head } = scope;
  const { deadline, partition, store } = init;
  const infos = await chain.sectors(address, init.live, head.key);
  const signal = new AbortController().signal;
  const all = await checkSectors(checker, { minerId, proofType, sectors: infos, signal });
  const lost = [...init.live.subtract(Bitfield.of(infos.map(({ number }) => number)))].map(unknownToChain);
  const found = [...all, ...lost];
  const checks = store === undefined ? found : await ofStore(index, minerId, store, found, infos);
  const good = checks.filter((check) => check.verdict === 'good');
  if (good.length === 0) return { sectors: checks.map((check) => sectorOf(init, check)) };
  const byNumber = new Map(infos.map((info) => [info.number, info]));
  const read = async (sectors: readonly SectorCopy[]): Promise<CopiesRead> => {
    const task = windowTask({ minerId, proofType, sectors, infos: byNumber, randomness: randomBytes(32) });
    const attachment = Buffer.from(JSON.stringify(task));
    const output = await master.call('task.rehearse', {}, { attachment, timeoutMs: ASK_LIMIT_MS });
    const answer = rehearsalOutput.parse(output);
    return { answer, times: new Map(answer.rehearsal?.sector_ms), faults: rehearsalFaults(answer) };
  };
  const first = await read(good);
  const sectors = checks.map((check) => sectorOf(init, check, first));
  const corrupt = corruptOf(good, first);
  for (let last: readonly SectorCopy[] = corrupt; last.length > 0; ) {
    const numbers = new Set(last.map(({ number }) => number));
    const wanted = infos.filter(({ number }) => numbers.has(number));
    const others = await checkSectors(checker, { minerId, proofType, sectors: wanted, signal }, corrupt);
    const copies = others.filter((check) => check.verdict === 'good');
    if (copies.length === 0) break;
    const again = await read(copies);
    sectors.push(...copies.map((check) => sectorOf(init, check, again)));
    last = corruptOf(copies, again);
    corrupt.push(...last);
  }
  const { rehearsal, slave = null } = first.answer;
  const { reading_ms: readingMs = null, checking_ms: checkingMs = null, readers } = rehearsal ?? {};
  return {
    sectors,
    partition: { deadline, partition, sectors: good.length, slave, readingMs, checkingMs },
    readers,
  };
}

/** Of the copies that were read those that gave no proof. */
function corruptOf(copies: readonly SectorCopy[], { faults }: CopiesRead): SectorCopy[] {
  return copies.filter(({ number }) => faults.get(number)?.class === 'bad');
}

/** Those that lie in the store, or should: what is not good lies nowhere, unless the index knows better. */
async function ofStore(
  index: SectorIndex,
  minerId: number,
  store: string,
  checks: readonly SectorCheck[],
  infos: readonly SectorInfo[],
): Promise<SectorCheck[]> {
  const upgraded = new Map(infos.map((info) => [info.number, info.sectorKeyCid !== null]));
  const wanted = checks
    .filter(({ verdict }) => verdict !== 'good')
    .map(({ number }) => ({ number, upgraded: upgraded.get(number) ?? false }));
  const copies = await index.locate(minerId, wanted);
  return checks.filter((check) => {
    if (check.verdict === 'good') return check.store === store;
    return copies.get(check.number)?.some((copy) => copy.store === store) ?? true;
  });
}

function unknownToChain(number: number): SectorCheck {
  return { number, verdict: 'unknown', reason: 'the chain says nothing about it' };
}

function sectorOf(
  { deadline, partition }: { readonly deadline: number; readonly partition: number },
  check: SectorCheck,
  read?: CopiesRead,
): RehearsedSector {
  const at = { deadline, partition, number: check.number };
  if (check.verdict !== 'good') return { ...at, store: null, verdict: check.verdict, reason: check.reason, ms: null };
  const fault = read?.faults.get(check.number);
  const ms = read?.times.get(check.number) ?? null;
  if (fault === undefined) return { ...at, store: check.store, verdict: 'good', reason: null, ms };
  const verdict = fault.class === 'bad' ? 'corrupt' : 'unknown';
  return { ...at, store: check.store, verdict, reason: fault.reason, ms };
}

function textOf(
  stores: readonly StoreRehearsal[],
  partitions: readonly PartitionRehearsal[],
  sectors: readonly RehearsedSector[],
): string {
  const seconds = (ms: number | null | undefined) =>
    ms === null || ms === undefined ? '-' : `${(ms / 1000).toFixed(2)} s`;
  const rows = stores.map(({ store, sectors, bad, unknown, read, partitionMs, fits, slow }) => [
    store ?? '(in no store)',
    sectors,
    bad,
    unknown,
    seconds(read?.p50),
    seconds(read?.p99),
    seconds(read?.max),
    seconds(partitionMs),
    fits === null ? '-' : `${fits ? 'fits' : 'TOO SLOW'}${slow ? ', slow beside the others' : ''}`,
  ]);
  const headings = ['store', 'sectors', 'bad', 'unknown', 'p50', 'p99', 'max', 'partition', 'verdict'];
  return [
    textTable(headings, rows),
    ...partitions.map(
      (one) =>
        `deadline ${one.deadline}, partition ${one.partition}: ${one.sectors} sectors read in ${seconds(one.readingMs)} by ${one.slave ?? 'a slave'}`,
    ),
    ...sectors
      .filter(({ verdict }) => verdict !== 'good')
      .map((one) => {
        const other = sectors.find(({ number, verdict }) => number === one.number && verdict === 'good');
        const elsewhere = other === undefined ? '' : `; its copy in ${other.store} is good`;
        return `deadline ${one.deadline}, partition ${one.partition}, sector ${one.number}: ${one.verdict} (${one.reason})${elsewhere}`;
      }),
  ].join('\n');
}
