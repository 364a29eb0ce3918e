import { readdirSync, readFileSync } from 'node:fs';

/** Of Linux on all common machines. */
const TICK_MS = 10;

interface Stat {
  readonly parent: number;
  /** CPU milliseconds of the process itself, and of children that it has waited for. */
  readonly own: number;
  readonly reaped: number;
}

/** CPU milliseconds so far, by name: of the process itself (`NAME`), and of its living and past children (`NAME/children`). */
export function cpuTimes(roots: ReadonlyMap<string, number>): Map<string, number> {
  const stats = readStats();
  const times = new Map<string, number>();
  for (const [name, root] of roots) {
    const stat = stats.get(root);
    if (stat === undefined) continue;
    times.set(name, stat.own);
    const children = stat.reaped + below(stats, root);
    if (children > 0) times.set(`${name}/children`, children);
  }
  return times;
}

/** What each has used since. */
export function cpuSince(before: ReadonlyMap<string, number>, roots: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...cpuTimes(roots)].map(([name, ms]) => [name, ms - (before.get(name) ?? 0)]));
}

export function residentMegabytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

function below(stats: ReadonlyMap<number, Stat>, root: number): number {
  let sum = 0;
  for (const [pid, { parent, own, reaped }] of stats) if (parent === root) sum += own + reaped + below(stats, pid);
  return sum;
}

function readStats(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const text = textOf(`/proc/${pid}/stat`);
    // The name in brackets may hold anything.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0] = fields;
    const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11);
    stats.set(Number(pid), {
      parent,
      own: (user + system) * TICK_MS,
      reaped: (childrenUser + childrenSystem) * TICK_MS,
    });
  }
  return stats;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
