import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/clock/system-clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { startEmbeddedDatabase } from '../../src/database/embedded-database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { SectorIndex } from '../../src/stores/index/sector-index.ts';
import { SectorSet } from '../../src/stores/index/sector-set.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { MINER, makeTree } from './make-tree.ts';

// What attaching a store and looking sectors up cost: `npm run bench:stores [sectors] [folder of the tree]`. Writes
// docs/benchmarks-stores.md.

const sectors = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = 3;
const DEADLINE_SECTORS = 234_900;
const components = { clock: systemClock, logger: createLogger('bench-stores', { LOG_LEVEL: 'warn' }) };
const say = (line: string) => process.stdout.write(`${line}\n`);
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** Runs a program to its end; memory is that of its whole process group at most, looked at often. */
async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const began = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
    env: { ...process.env, ...env },
  });
  let isOver = false;
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  void ended.then(() => {
    isOver = true;
  });
  let peakKib = 0;
  while (!isOver) {
    peakKib = Math.max(peakKib, await memoryOf(child.pid ?? 0));
    await systemClock.sleep(100);
  }
  return { tookMs: performance.now() - began, code: await ended, peakMib: peakKib / 1_024 };
}

async function memoryOf(group: number): Promise<number> {
  const pids = await childrenOf(group);
  const sizes = await Promise.all(
    [group, ...pids].map(async (pid) => {
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

/** As a provider of 11,275,200 sectors on 20 stores has them. */
async function lookUp(index: SectorIndex, spread: number): Promise<number> {
  const numbers = Array.from({ length: DEADLINE_SECTORS }, (_, at) => at * spread);
  for (let store = 0; store < 20; store++) {
    const own = SectorSet.of(numbers.filter((number) => (number / spread) % 20 === store));
    await index.add([{ store: `storage${store}`, minerId: MINER + spread, upgraded: false, sealed: own, cache: own }]);
  }
  const wanted = numbers.map((number) => ({ number, upgraded: false }));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const found = await index.locate(MINER + spread, wanted);
    best = Math.min(best, performance.now() - began);
    if (found.size !== DEADLINE_SECTORS) throw new Error(`${found.size} sectors were found`);
  }
  return best;
}

const home = await mkdtemp('/var/tmp/bench-stores-');
const server = await startEmbeddedDatabase(components, { dataDir: join(home, 'database') });
try {
  const db = await openDatabase(components, { url: server.url });
  await migrate(db);
  let [, , , tree] = process.argv;
  if (tree === undefined) {
    tree = join(home, 'store');
    say(`making ${sectors} sectors`);
    makeTree(tree, sectors);
  }
  const config = `[Common.Cluster]\nDatabase = "${server.url}"\nMaster = "127.0.0.1:1"\n`;
  await writeFile(join(home, 'sector-manager.cfg'), config);
  const program = fileURLToPath(new URL('../../src/programs/sector-manager/main.js', import.meta.url));
  const find = () => run('find', [join(tree ?? '', 'sealed'), join(tree ?? '', 'cache'), '-printf', '%s\n']);
  const attach = () =>
    run(process.execPath, [program, '--home', home, 'util', 'storage', 'attach', '--json', tree ?? '']);
  // The first reads the folders from the disk.
  await find();
  const lines: string[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const bare = await find();
    const own = await attach();
    if (own.code !== 0) throw new Error(`attach ended with ${own.code}`);
    const ratio = (own.tookMs / bare.tookMs).toFixed(2);
    lines.push(
      `| ${round} | ${seconds(bare.tookMs)} | ${seconds(own.tookMs)} | ${ratio} | ${own.peakMib.toFixed(0)} MiB |`,
    );
    say(lines.at(-1) ?? '');
  }
  const index = new SectorIndex({ db });
  const near = await lookUp(index, 1);
  const far = await lookUp(index, 48);
  say(`${near.toFixed(0)} ms ${far.toFixed(0)} ms`);
  await db.close();
  const load = loadavg()[2]?.toFixed(1);
  const page = [
    '# Benchmarks of stores',
    '',
    `\`npm run bench:stores\` on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; program and MariaDB share them. Load of the machine beside it: ${load}.`,
    '',
    '## Attach',
    '',
    `A store of ${sectors.toLocaleString('en')} sectors of 2 KiB on a local file system, in the system's cache: ${(sectors * 5).toLocaleString('en')} files and folders. Beside it \`find -printf %s\`, which looks at each of them once. Memory is that of all processes of the command at most, what they share counted once.`,
    '',
    '| round | find | attach | ratio | memory |',
    '|---:|---:|---:|---:|---:|',
    ...lines,
    '',
    '## Index',
    '',
    `All ${DEADLINE_SECTORS.toLocaleString('en')} sectors of a deadline of 100 partitions, on 20 stores, best of ${ROUNDS}.`,
    '',
    '| numbers of the sectors | look-up |',
    '|---|---:|',
    `| one after the other | ${near.toFixed(0)} ms |`,
    `| every 48th, as in a provider of 11,275,200 sectors | ${far.toFixed(0)} ms |`,
    '',
  ];
  await writeFile('docs/benchmarks-stores.md', page.join('\n'));
} finally {
  await server.stop();
  await rm(home, { recursive: true });
}
