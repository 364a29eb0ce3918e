import { canRead, type Readable } from '../queue/store-roots.ts';

export interface WaitingTask {
  readonly id: string;
  readonly sectorCount: number;
  /** Milliseconds of the database's clock. */
  readonly queuedAt: number;
}

/** Tasks that are alike in everything that decides who may take them and when, in the order of `inGroup`. */
export interface WaitingGroup {
  /** Nothing starts when this is surely past, in milliseconds of the database's clock; null: no end. */
  readonly closeAt: number | null;
  readonly minerId: number;
  /** In bytes. */
  readonly sectorSize: number;
  /** Directories that hold the sectors; null: not known. */
  readonly stores: readonly string[] | null;
  /** Had them last, and gets them only when no other slave is free... */
  readonly lastSlave: string | null;
  /** ...or not at all. */
  readonly isBarred: boolean;
  /** Never empty. */
  readonly tasks: Iterable<WaitingTask> & { readonly at: (index: number) => WaitingTask | undefined };
}

export interface FreeSlave {
  readonly name: string;
  /** Tasks it can take now. */
  readonly free: number;
  /** The only size it can prove, in bytes; null: any. */
  readonly sectorSize: number | null;
  /** What it can read; null: any. */
  readonly stores: readonly Readable[] | null;
}

export interface Choice {
  readonly id: string;
  readonly slave: string;
}

interface Candidate {
  readonly group: WaitingGroup;
  /** Index of its first task that is not chosen. */
  next: number;
}

/** Longest first where a Close has to be met, so that no long one is left to the end; then by age. */
export function inGroup(closeAt: number | null, a: WaitingTask, b: WaitingTask): number {
  const bySize = closeAt === null ? 0 : b.sectorCount - a.sectorCount;
  return bySize || a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/**
 * Who gets what next. `tiers` are the groups of each Close, nearest first, none at all last. A Close that is past, though not
 * surely (`surelyPast`), comes behind all: what is open for certain must not wait for what may be closed. Within a tier miners
 * take turns (`running` counts what each has in proof already), each with its first task. A task goes to the slave with the most
 * free slots that did not have it last. Looks at no more tasks than there are free slots.
 */
export function choose(
  tiers: Iterable<readonly WaitingGroup[]>,
  slaves: readonly FreeSlave[],
  facts: { readonly now: number; readonly surelyPast: number; readonly running: ReadonlyMap<number, number> },
): Choice[] {
  const free = slaves.filter((slave) => slave.free > 0).map((slave) => ({ ...slave }));
  let slots = free.reduce((sum, slave) => sum + slave.free, 0);
  const choices: Choice[] = [];
  for (const tier of doubtfulLast(tiers, facts)) {
    if (slots === 0) break;
    const turns = new Map<number, number>();
    const turnOf = (minerId: number): number => turns.get(minerId) ?? facts.running.get(minerId) ?? 0;
    const candidates = tier.map((group): Candidate => ({ group, next: 0 }));
    while (slots > 0 && candidates.length > 0) {
      const index = firstOf(candidates, turnOf);
      const candidate = candidates[index];
      const task = candidate?.group.tasks.at(candidate.next);
      const slave = candidate && bestSlave(candidate.group, free);
      if (candidate === undefined || task === undefined || slave === undefined) {
        candidates.splice(index, 1);
        continue;
      }
      slave.free--;
      slots--;
      candidate.next++;
      turns.set(candidate.group.minerId, turnOf(candidate.group.minerId) + 1);
      choices.push({ id: task.id, slave: slave.name });
    }
  }
  return choices;
}

function* doubtfulLast(
  tiers: Iterable<readonly WaitingGroup[]>,
  { now, surelyPast }: { readonly now: number; readonly surelyPast: number },
): Generator<readonly WaitingGroup[]> {
  const doubtful: (readonly WaitingGroup[])[] = [];
  for (const tier of tiers) {
    const closeAt = tier[0]?.closeAt ?? Number.POSITIVE_INFINITY;
    if (closeAt > now) yield tier;
    else if (closeAt > surelyPast) doubtful.push(tier);
  }
  yield* doubtful;
}

/** Index of the candidate whose turn it is. */
function firstOf(candidates: readonly Candidate[], turnOf: (minerId: number) => number): number {
  let first = 0;
  for (const [index, candidate] of candidates.entries()) {
    const best = candidates[first];
    if (best !== undefined && isBefore(candidate, best, turnOf)) first = index;
  }
  return first;
}

function isBefore(a: Candidate, b: Candidate, turnOf: (minerId: number) => number): boolean {
  const [taskA, taskB] = [a.group.tasks.at(a.next), b.group.tasks.at(b.next)];
  // One that has no task left is first, to be taken away.
  if (taskA === undefined || taskB === undefined) return taskA === undefined && taskB !== undefined;
  const byTurn = turnOf(a.group.minerId) - turnOf(b.group.minerId);
  return (byTurn || inGroup(a.group.closeAt, taskA, taskB)) < 0;
}

function bestSlave<S extends FreeSlave>(group: WaitingGroup, slaves: readonly S[]): S | undefined {
  let best: S | undefined;
  for (const slave of slaves) {
    if (slave.free > 0 && mayTake(group, slave) && (best === undefined || isBetter(group, slave, best))) best = slave;
  }
  return best;
}

/** Whether a slave could ever prove these tasks. */
export function isAble(
  group: Pick<WaitingGroup, 'sectorSize' | 'stores'>,
  slave: Pick<FreeSlave, 'sectorSize' | 'stores'>,
): boolean {
  return (slave.sectorSize === null || slave.sectorSize === group.sectorSize) && canRead(group.stores, slave.stores);
}

function mayTake(group: WaitingGroup, slave: FreeSlave): boolean {
  return isAble(group, slave) && !(group.isBarred && slave.name === group.lastSlave);
}

function isBetter(group: WaitingGroup, slave: FreeSlave, than: FreeSlave): boolean {
  const hadItLast = slave.name === group.lastSlave;
  if (hadItLast !== (than.name === group.lastSlave)) return !hadItLast;
  return slave.free === than.free ? slave.name < than.name : slave.free > than.free;
}
