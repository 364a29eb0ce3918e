import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { z } from 'zod';
import { systemClock } from '../../src/clock/system-clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { checkLines, measureCheck } from './check.ts';
import { DEADLINES, PARTITION_SECTORS, partitionSectors } from './shape.ts';
import { makeStore } from './stores.ts';

// What posting costs a manager: `npm run bench:poster` measures it here and writes docs/benchmarks-poster.md.

const LARGE = 100;
const components = { clock: systemClock, logger: createLogger('bench-poster', { LOG_LEVEL: 'warn' }) };
const say = (line: string) => process.stdout.write(`${line}\n`);

const started = z.object({ port: z.number() });
const counted = z.object({
  asked: z.record(z.string(), z.object({ calls: z.number(), bytes: z.number(), largest: z.number() })),
});
const measured = z.object({
  millis: z.array(z.number()),
  taskBytes: z.number(),
  cpuSeconds: z.number(),
  quietCpuSeconds: z.number(),
  leastRss: z.number(),
  endRss: z.number(),
  peakRss: z.number(),
});

const program = (name: string, ...args: readonly string[]) =>
  fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), args, {
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  });

function told(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`a program ended with ${code}`)));
  });
}

interface Scene {
  readonly partitions: number;
  readonly deadlines: readonly number[];
  readonly store?: string;
}

async function measure(serverUrl: string, name: string, { partitions, deadlines, store = '' }: Scene) {
  const first = await openDatabase(components, { url: serverUrl });
  await sql.raw(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`).execute(first.kysely);
  await first.close();
  const url = serverUrl.replace(/\/\w+\?/, `/${name}?`);
  const db = await openDatabase(components, { url });
  await migrate(db);
  await db.close();
  const node = program('node', String(partitions));
  try {
    const { port } = started.parse(await told(node));
    const manager = program('manager', url, String(port), String(partitions), deadlines.join(','), store);
    const result = measured.parse(await told(manager));
    const answer = told(node);
    node.send('count');
    return { ...result, ...counted.parse(await answer) };
  } finally {
    node.kill();
  }
}

const seconds = (millis: number) => `${(millis / 1000).toFixed(2)} s`;
const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

const home = await mkdtemp(join(tmpdir(), 'bench-poster-'));
const server = await startEmbeddedDatabase(components, { dataDir: join(home, 'database') });
try {
  const lines: string[] = [];
  const store = join(home, 'store');
  const sectors = Array.from({ length: 14 }, (_, partition) => partitionSectors(1, partition, 14)).flat();
  const single = partitionSectors(1, 0, 1);
  say('making a store');
  await makeStore(store, [...new Set([...sectors, ...single])]);

  lines.push(
    '## From the head to the tasks',
    '',
    '| partitions | from the head at Challenge + confidence to the last task submitted | wanted |',
    '|---:|---:|---:|',
  );
  for (const [partitions, wanted] of [
    [1, '2 s'],
    [14, '10 s'],
  ] as const) {
    const { millis } = await measure(server.url, `bench_${partitions}`, { partitions, deadlines: [1], store });
    lines.push(`| ${partitions} | ${seconds(millis[0] ?? 0)} | ${wanted} |`);
    say(lines.at(-1) ?? '');
  }
  lines.push(
    '',
    'With the snapshot, the sectors read from the node, every file looked at, and the task stored. A lease follows within',
    'milliseconds where a slave is free (benchmarks.md).',
  );

  lines.push(...checkLines(await measureCheck(components)));

  const large = await measure(server.url, 'bench_large', { partitions: LARGE, deadlines: [1, 2] });
  lines.push(
    '',
    `## A provider of ${DEADLINES} × ${LARGE} × ${PARTITION_SECTORS.toLocaleString('en')} sectors`,
    '',
    `${(DEADLINES * LARGE * PARTITION_SECTORS).toLocaleString('en')} sectors. Two of its deadlines are under way at once, as at every change of deadlines; the files are taken as good.`,
    '',
    '| | |',
    '|---|---:|',
    ...large.millis.map(
      (millis, index) => `| deadline ${index + 1}: from the head to its ${LARGE} tasks | ${seconds(millis)} |`,
    ),
    `| CPU until then | ${large.cpuSeconds.toFixed(1)} s |`,
    `| CPU for each later head | ${(large.quietCpuSeconds * 1000).toFixed(0)} ms |`,
    `| memory before | ${mib(large.leastRss)} |`,
    `| memory at most | ${mib(large.peakRss)} |`,
    `| memory at the end | ${mib(large.endRss)} |`,
    `| tasks sent to the master | ${mib(large.taskBytes)} |`,
    '',
    '| asked of the node, 22 heads | calls | all answers | largest |',
    '|---|---:|---:|---:|',
    ...Object.entries(large.asked)
      .toSorted(([, left], [, right]) => right.bytes - left.bytes)
      .map(
        ([name, { calls, bytes, largest }]) =>
          `| ${name} | ${calls} | ${(bytes / 2 ** 20).toFixed(1)} MiB | ${(largest / 2 ** 20).toFixed(2)} MiB |`,
      ),
  );
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const page = [
    '# Benchmarks of the poster',
    '',
    `\`npm run bench:poster\` on ${cpus().length} × ${processor}, Node ${process.version}; node, manager and MariaDB share them. Load of the machine beside it: ${loadavg()[2]?.toFixed(1)}.`,
    '',
    ...lines,
    '',
  ];
  await writeFile('docs/benchmarks-poster.md', page.join('\n'));
  say(page.join('\n'));
} finally {
  await server.stop();
  await rm(home, { recursive: true });
}
