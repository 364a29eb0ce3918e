import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runProgram } from '../src/cli/run-program.ts';
import { systemClock } from '../src/clock/system-clock.ts';
import { CodedError } from '../src/errors/coded-error.ts';
import { describeMachine } from './machine.ts';
import { checkout } from './paths.ts';
import { type Context, cells, full, quick } from './plan.ts';
import { append, type Measurement, readResults, startFile } from './records.ts';
import { goalTable, page } from './report.ts';
import { Servers } from './servers.ts';
import { systemNamed, systems } from './systems/all.ts';

const USAGE = `npm run bench -- [--quick] [--cell NAME]... [--system NAME]...
cells: ${Object.keys(cells).join(', ')}
systems: ${systems.map(({ name }) => name).join(', ')}
`;

/** Kept with the project, and shown by the page. */
const LAST = checkout('bench/results/last.jsonl');
const PAGE = checkout('docs/benchmarks.md');

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

await runProgram(async () => {
  const { values: options } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      cell: { type: 'string', multiple: true, default: Object.keys(cells) },
      system: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (options.help) return void process.stdout.write(USAGE);
  const chosen = options.cell.map((name) => {
    const cell = cells[name];
    if (cell === undefined) throw new CodedError('unknown-cell', `no cell ${name}: ${Object.keys(cells).join(', ')}`);
    return cell;
  });
  const machine = await describeMachine();
  await mkdir(checkout('bench/results'), { recursive: true });
  const file = checkout(`bench/results/${machine.at}.jsonl`);
  startFile(file, machine);
  const servers = await Servers.open();
  const cache =
    process.env.WDPOST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wdpost-cluster');
  const context: Context = {
    servers,
    extent: options.quick ? quick : full,
    systems: options.system?.map(systemNamed) ?? systems,
    parameters: process.env.FIL_PROOFS_PARAMETER_CACHE ?? join(cache, 'params'),
  };
  const measured: Measurement[] = [];
  try {
    for (const cell of chosen) {
      for await (const measurement of cell(context)) {
        append(file, measurement);
        measured.push(measurement);
        show(measurement);
      }
    }
  } finally {
    await servers.close();
  }
  process.stdout.write(`\n${goalTable(measured)}\n\nall lines: ${file}\n`);
  if (options.quick || options.system !== undefined) return;
  // Cells that were not measured again stay as they were.
  const fresh = new Set(measured.map(({ cell }) => cell));
  const kept = ((await readResults(LAST))?.measurements ?? []).filter(({ cell }) => !fresh.has(cell));
  const results = { machine, measurements: [...kept, ...measured] };
  await writeFile(LAST, '');
  startFile(LAST, machine);
  for (const measurement of results.measurements) append(LAST, measurement);
  await writeFile(PAGE, page(results));
});

function show({ cell, variant, system, round, values }: Measurement): void {
  const numbers = Object.entries(values).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  const at = Math.round(systemClock.monotonic() / 1000);
  process.stdout.write(`${at}s  ${cell}  ${variant}  ${system}  round ${round}: ${numbers.join(', ')}\n`);
}
