import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { untilSignal } from '../../cli/until-signal.ts';
import type { Clock } from '../../clock/clock.ts';
import { systemClock } from '../../clock/system-clock.ts';
import type { Database } from '../../database/database.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { DevChain } from './dev-chain.ts';
import { Fleet } from './fleet.ts';
import { LiveLine } from './live-line.ts';
import { openManagersDatabase } from './managers-database.ts';
import { readProgress } from './progress.ts';
import { isAccepted, type PartitionResult, summarise, table } from './report.ts';
import { attachStore, installedProgram, livingProcesses, MINER, makeScene, type Scene, writeConfigs } from './scene.ts';

export interface QuickstartOptions {
  readonly sectorSize: string;
  readonly keep: boolean;
  readonly home: string;
  /** Folder of proof parameters. */
  readonly parameters: string;
}

/** Four partitions of two sectors over two deadlines. */
const SECTORS = 8;
const PARTITIONS = 4;
/** Stands in partition 1 of the first deadline. */
const LOST_SECTOR = 3;
/** A window of 60 epochs must hold a deadline's proofs on two busy cores. */
const BLOCK_TIMES: Readonly<Record<string, string>> = { '2KiB': '400ms', '8MiB': '800ms', '512MiB': '1200ms' };
const SLAVES = 2;
/** Nothing new for so long means that nothing more will come. */
const STALL_LIMIT_MS = 120_000;
const POLL_MS = 500;

export async function quickstart(options: QuickstartOptions): Promise<void> {
  const clock = systemClock;
  const startedAt = clock.monotonic();
  const living = await livingProcesses(options.home);
  if (living.length > 0) {
    throw new CodedError(
      'still-running',
      `another quickstart runs in ${options.home}; stop it with: kill ${living.join(' ')}`,
    );
  }
  const line = new LiveLine({ clock }, { out: process.stdout });
  const ending = new AbortController();
  const signal = AbortSignal.any([untilSignal(), ending.signal]);
  line.show(`making ${SECTORS} sectors of ${options.sectorSize}`);
  const scene = await makeScene(options.home, options.sectorSize, SECTORS);
  line.done(`${SECTORS} sectors of ${options.sectorSize} for miner t0${MINER}`);
  const fleet = new Fleet(
    { clock },
    {
      bin: installedProgram('bin'),
      logs: scene.logs,
      env: {
        ...process.env,
        FIL_PROOFS_PARAMETER_CACHE: options.parameters,
        WDPOST_TOKEN: undefined,
        FORCE_SECTOR_SIZE: undefined,
      },
    },
  );
  let leave = false;
  try {
    const interrupted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new CodedError('interrupted', 'interrupted')), { once: true }),
    );
    const played = play(clock, options, scene, fleet, line, signal);
    const results = await Promise.race([fleet.broken, interrupted, played]);
    const summary = summarise(results, (clock.monotonic() - startedAt) / 1000);
    process.stdout.write(`\n${table(results)}\n\n${JSON.stringify(summary)}\n`);
    if (!results.every(isAccepted) || summary.skipped === 0 || summary.recovered === 0)
      throw new CodedError('not-accepted', `not every partition was accepted and recovered: ${fleet.lastTrouble()}`);
    leave = options.keep;
  } finally {
    ending.abort();
    if (leave) leaveRunning(fleet, scene);
    else await fleet.stop();
  }
}

function leaveRunning(fleet: Fleet, scene: Scene): void {
  fleet.release();
  const stop = `kill ${fleet.pids.join(' ')}`;
  process.stdout.write(`left running in ${scene.home} (logs in ${scene.logs}); stop it with: ${stop}\n`);
}

async function play(
  clock: Clock,
  options: QuickstartOptions,
  scene: Scene,
  fleet: Fleet,
  line: LiveLine,
  signal: AbortSignal,
): Promise<PartitionResult[]> {
  line.show('starting the development chain');
  const chain = new DevChain();
  const blocks = [
    '--block-time',
    BLOCK_TIMES[options.sectorSize] ?? '1s',
    '--skip-quiet',
    '--partitions-per-deadline',
    '2',
  ];
  fleet.start(
    'chain',
    'wdpost-devnet',
    [
      '--home',
      join(scene.home, 'chain'),
      '--miner',
      `t0${MINER}`,
      '--sectors',
      scene.sectorsFile,
      '--sector-size',
      options.sectorSize,
      ...blocks,
    ],
    (text) => chain.onLine(text),
  );
  const { rpc, token, worker } = await chain.listening;
  await writeConfigs(scene, { rpc, token, sender: worker });
  line.done(`development chain at ${rpc}`);

  const sealed = join(scene.store, 'sealed', `s-t0${MINER}-${LOST_SECTOR}`);
  await rename(sealed, `${sealed}.lost`);
  line.done(`the file of sector ${LOST_SECTOR} was taken away`);

  line.show('starting database, master and manager');
  fleet.start('manager', 'sector-manager', ['--home', join(scene.home, 'manager'), 'daemon', 'run', '--poster']);
  for (let slave = 1; slave <= SLAVES; slave++) {
    fleet.start(`slave-${slave}`, 'wdpost-slave-daemon', ['-c', join(scene.home, 'slave.toml')]);
  }
  const db = await openManagersDatabase(clock, join(scene.home, 'manager'), signal);
  try {
    await attachStore(scene);
    line.done(`database, master, manager and ${SLAVES} slaves run, and the store is attached`);
    const results = await follow(
      clock,
      signal,
      db,
      chain,
      line,
      'proving',
      (all) => all.some(isLost) || (all.length >= PARTITIONS && all.every(isSettled)),
    );
    line.done(
      `${results.filter(isAccepted).length} of ${results.length} partitions accepted, sector ${LOST_SECTOR} skipped`,
    );
    if (!results.every(isAccepted)) return results;
    await rename(`${sealed}.lost`, sealed);
    line.done(`the file of sector ${LOST_SECTOR} is back`);
    return await follow(
      clock,
      signal,
      db,
      chain,
      line,
      'recovering',
      (all) => all.some(isLost) || isOverdue(all) || (all.some(isRecovered) && all.every(isSettled)),
    );
  } finally {
    await db.close();
  }
}

const isRecovered = (result: PartitionResult): boolean =>
  isAccepted(result) && result.recovering.has(LOST_SECTOR) && !result.skipped.has(LOST_SECTOR);

/** The lost sector's partition went through two more proving periods, and is still without it. */
const isOverdue = (all: readonly PartitionResult[]): boolean =>
  all.filter((result) => result.deadline === 0 && result.partition === 1 && isSettled(result)).length >= 3 &&
  !all.some(isRecovered);

const isLost = (result: PartitionResult): boolean =>
  result.disputed || result.state === 'missed' || result.state === 'left-out';

/** Landed, and verified by the development chain. */
const isSettled = (result: PartitionResult & { verified?: boolean }): boolean =>
  result.state === 'landed' && result.verified === true;

async function follow(
  clock: Clock,
  signal: AbortSignal,
  db: Database,
  chain: DevChain,
  line: LiveLine,
  stage: string,
  isDone: (results: readonly PartitionResult[]) => boolean,
): Promise<PartitionResult[]> {
  let last = '';
  let changedAt = clock.monotonic();
  for (;;) {
    const rows = await readProgress(db);
    const results = rows.map((row) => ({ ...row, ...chain.verdictOn(row) }));
    if (isDone(results)) return results;
    const states = results.map(
      (result) => `d${result.deadline}/p${result.partition} ${result.verified ? 'verified' : result.state}`,
    );
    const now = states.slice(-6).join('  ');
    if (now !== last) changedAt = clock.monotonic();
    last = now;
    if (clock.monotonic() - changedAt > STALL_LIMIT_MS) {
      throw new CodedError(
        'stalled',
        `nothing moved for ${STALL_LIMIT_MS / 1000} s (${now || 'no deadline was taken up'})`,
      );
    }
    line.show(`${stage}: ${now || 'waiting for the first challenge'}`);
    await clock.sleep(POLL_MS, signal);
  }
}
