import { type Goal, goals, holds } from './goals.ts';
import type { Measurement, Results } from './records.ts';
import { systems } from './systems/all.ts';
import { digits, textTable } from './text-table.ts';
import { type Typical, typical, variantsOf } from './typical.ts';

/** What was to be reached, and what was; goals without a measurement are left out. */
export function goalTable(measurements: readonly Measurement[]): string {
  const rows = goals.flatMap((goal) => {
    const value = goal.value(measurements);
    return value === undefined ? [] : [[goal.what, limitOf(goal), digits(value), verdict(goal, value)]];
  });
  return textTable(['goal', 'limit', 'measured', ''], rows);
}

const SHORT =
  'This was a short run (the extents of `--quick`: two rounds at most, 2,000 and 100 tasks, 4 s of arrivals, 200 sectors of the partition): small differences mean nothing, and warming up weighs more than it should.';

/** Everything that was measured in a run, as a page. */
export function page({ machine, measurements }: Results): string {
  const { cpu, cores, memoryGigabytes, kernel, fileSystem, fdatasyncPerSecond, versions } = machine;
  const date = new Intl.DateTimeFormat('en-CA', { timeZone: 'UTC' }).format(machine.at);
  const versionText = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  const parts = [
    INTRODUCTION,
    '## The last run',
    `${date}, ${cores} × ${cpu}, ${memoryGigabytes} GB, Linux ${kernel}, data on ${fileSystem} with ${digits(fdatasyncPerSecond)} fdatasync/s; everything on this one machine.`,
    `${versionText}.`,
    ...(Math.max(...measurements.map(({ round }) => round)) < 2 ? [SHORT] : []),
    goalTable(measurements),
    '## Queues',
    systems.map(({ name, about }) => `* \`${name}\`: ${about}`).join('\n'),
    queueTable(measurements, ['enqueue', 'drain'], ['perSecond']),
    'From when a task was meant to be sent to the first line of its handler, milliseconds:',
    queueTable(measurements, ['latency'], ['p50Ms', 'p99Ms', 'maxMs']),
    'CPU milliseconds for one task while draining, all processes of a kind together, in the first round that counts:',
    cpuTable(measurements),
    '## This cluster',
    ...['idle', 'history', 'prove', 'partition', 'slow-reads', 'slow-store', 'makespan', 'kill'].map((cell) =>
      cellTable(measurements, cell),
    ),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

const INTRODUCTION = `# Benchmarks

\`npm run bench\` measures this cluster beside general queues, in one run on one machine, and writes this page. \`--quick\` takes some
minutes and changes nothing here; \`--cell NAME\` measures one cell again, and the others stay as an earlier run left them. Nothing of it is installed with the product.

* **Subject**: the real master and two real slaves of eight slots each, over WebSocket, with their logs on. Tasks are window_post
  tasks: 17 sectors (4 KB), and a full partition of 2,349 (700 KB). The prover is a child that parses the task and hashes it.
* **Peers**: the same handler (parse, SHA-256, 32 bytes) in two consumer processes of eight, their logs off. 4 KB bodies go to them
  as values, 700 KB bodies as text, which cost graphile-worker least; BullMQ gets the same, untried otherwise.
* **Durable**: \`innodb_flush_log_at_trx_commit=1\`, \`synchronous_commit=on\`, \`appendfsync always\` (\`everysec\` beside it). Databases
  have 1 GB of cache; all servers listen on Unix sockets.
* **enqueue**: one producer, 16 submissions at a time, no consumer. **drain**: from the first start of a handler to the last stored
  result. **latency**: an open loop with random (Poisson) arrivals, the same for all.
* **slow-reads**: the floor is what the prover alone takes on the same FUSE mirror without delays, and one delay: the mirror answers
  256 reads at once, so a prover that reads far enough ahead waits only for its first.
* **slow-store**: the partition lies in 20 stores, one of them such a mirror; the floor is the same run with the mirror undelayed.
* Rounds go A B C A B C; the first is left out. Tables show the median, and the range in brackets.`;

function queueTable(measurements: readonly Measurement[], cells: readonly string[], values: readonly string[]): string {
  const columns = cells.flatMap((cell) =>
    variantsOf(measurements, cell).flatMap((variant) => values.map((value) => ({ cell, variant, value }))),
  );
  const head = columns.map(({ cell, variant, value }) =>
    [cell === 'latency' ? '' : cell, variant, nameOf(value)].filter(Boolean).join(' '),
  );
  const rows = systems.flatMap(({ name }) => {
    const row = columns.map(({ cell, variant, value }) =>
      rangeOf(typical(measurements, { cell, variant, system: name }, value)),
    );
    return row.every((cell) => cell === '') ? [] : [[name, ...row]];
  });
  return rows.length === 0 ? '' : textTable(['', ...head], rows);
}

function cpuTable(measurements: readonly Measurement[]): string {
  const kinds = ['producer', 'master', 'slave', 'consumer', 'server'];
  const rows = measurements
    .filter(({ cell, round, cpuMsPerTask }) => cell === 'drain' && round === 1 && cpuMsPerTask !== undefined)
    .map(({ system, variant, cpuMsPerTask = {} }) => {
      const sum = (kind: string): number =>
        Object.entries(cpuMsPerTask).reduce((total, [name, ms]) => (name.startsWith(kind) ? total + ms : total), 0);
      return [`${system} ${variant}`, ...kinds.map((kind) => (sum(kind) === 0 ? '' : digits(sum(kind))))];
    });
  return rows.length === 0 ? '' : textTable(['', ...kinds], rows);
}

function cellTable(measurements: readonly Measurement[], cell: string): string {
  const lines = measurements.filter((one) => one.cell === cell);
  const keys = [...new Set(lines.flatMap(({ values }) => Object.keys(values)))];
  const subjects = [
    ...new Map(lines.map(({ variant, system }) => [`${variant}, ${system}`, { variant, system }] as const)),
  ];
  const rows = subjects.map(([, { variant, system }]) => [
    system === 'wdpost' ? variant : `${variant}, ${system}`,
    ...keys.map((key) => rangeOf(typical(measurements, { cell, variant, system }, key))),
  ]);
  return rows.length === 0 ? '' : textTable([cell, ...keys.map(nameOf)], rows);
}

/** `masterCpuPercent`: `master cpu percent`. */
function nameOf(key: string): string {
  return key.replace('perSecond', '/s').replaceAll(/([A-Z])/g, (capital) => ` ${capital.toLowerCase()}`);
}

function rangeOf(value: Typical | undefined): string {
  if (value === undefined) return '';
  const { median, least, most } = value;
  return least === most ? digits(median) : `${digits(median)} (${digits(least)}–${digits(most)})`;
}

function limitOf({ atLeast, atMost, stretch }: Goal): string {
  const limit = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  return stretch ? `${limit} (wished for)` : limit;
}

function verdict(goal: Goal, value: number): string {
  return holds(goal, value) ? 'reached' : 'missed';
}
