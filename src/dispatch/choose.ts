/** A task that could start. Times in milliseconds of the database's clock. */
export interface WaitingTask {
  readonly id: string;
  readonly minerId: number;
  /** In bytes. */
  readonly sectorSize: number;
  /** Nothing starts at or after this; null: no end. */
  readonly closeAt: number | null;
  readonly queuedAt: number;
  /** Nobody gets it before... */
  readonly retryAt: number;
  /** ...or only `lastSlave` has to wait. */
  readonly retryElsewhere: boolean;
  /** Had it last, and gets it only when no other slave is free. */
  readonly lastSlave: string | null;
}

export interface FreeSlave {
  readonly name: string;
  /** Tasks it can take now. */
  readonly free: number;
  /** The only size it can prove, in bytes; null: any. */
  readonly sectorSize: number | null;
}

export interface Choice {
  readonly id: string;
  readonly slave: string;
}

/**
 * Who gets what next. Tasks by Close (those without one last), then in turn among miners (`running` counts what each miner has
 * in proof already), then by age. Each goes to the slave with the most free slots that did not have it last.
 */
export function choose(
  waiting: readonly WaitingTask[],
  slaves: readonly FreeSlave[],
  facts: { readonly now: number; readonly running: ReadonlyMap<number, number> },
): Choice[] {
  const free = slaves.map((slave) => ({ ...slave }));
  const choices: Choice[] = [];
  for (const task of inOrder(waiting, facts)) {
    const slave = bestSlave(task, free, facts.now);
    if (slave === undefined) continue;
    slave.free--;
    choices.push({ id: task.id, slave: slave.name });
    if (free.every((candidate) => candidate.free <= 0)) break;
  }
  return choices;
}

function inOrder(
  waiting: readonly WaitingTask[],
  facts: { readonly now: number; readonly running: ReadonlyMap<number, number> },
): WaitingTask[] {
  const turns = new Map<string, number>();
  return waiting
    .filter((task) => task.closeAt === null || task.closeAt > facts.now)
    .toSorted((a, b) => close(a) - close(b) || byAge(a, b))
    .map((task) => {
      const peers = `${task.closeAt}/${task.minerId}`;
      const turn = turns.get(peers) ?? facts.running.get(task.minerId) ?? 0;
      turns.set(peers, turn + 1);
      return { task, turn };
    })
    .toSorted((a, b) => close(a.task) - close(b.task) || a.turn - b.turn || byAge(a.task, b.task))
    .map(({ task }) => task);
}

function close(task: WaitingTask): number {
  return task.closeAt ?? Number.MAX_SAFE_INTEGER;
}

function byAge(a: WaitingTask, b: WaitingTask): number {
  return a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1);
}

function bestSlave<S extends FreeSlave>(task: WaitingTask, slaves: readonly S[], now: number): S | undefined {
  let best: S | undefined;
  for (const slave of slaves) {
    if (mayTake(task, slave, now) && (best === undefined || isBetter(task, slave, best))) best = slave;
  }
  return best;
}

function mayTake(task: WaitingTask, slave: FreeSlave, now: number): boolean {
  if (slave.free <= 0) return false;
  if (slave.sectorSize !== null && slave.sectorSize !== task.sectorSize) return false;
  return now >= task.retryAt || (task.retryElsewhere && slave.name !== task.lastSlave);
}

function isBetter(task: WaitingTask, slave: FreeSlave, than: FreeSlave): boolean {
  const hadItLast = slave.name === task.lastSlave;
  if (hadItLast !== (than.name === task.lastSlave)) return !hadItLast;
  return slave.free === than.free ? slave.name < than.name : slave.free > than.free;
}
