import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/clock/clock.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { MINER, PARTITION_SECTORS, SECTOR_BYTES } from './shape.ts';
import { bareLoop, makeStore } from './stores.ts';

const ROUNDS = 7;

/** Milliseconds, of the same sectors and in turn, since what else runs on the machine changes both. */
export async function measureCheck(components: { readonly clock: Clock; readonly logger: Logger }) {
  const store = await mkdtemp(join(tmpdir(), 'bench-check-'));
  const sectors = Array.from({ length: PARTITION_SECTORS }, (_, number) => number);
  await makeStore(store, sectors);
  const checker = new StoreChecker(components, {
    stores: [{ name: 'a', path: store, strict: true, readOnly: true, weight: 1, allowMiners: [], denyMiners: [] }],
  });
  const rounds: { readonly bare: number; readonly check: number }[] = [];
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const bare = await bareLoop(store, sectors);
      const began = performance.now();
      const wanted = sectors.map((number) => ({ number, upgraded: false }));
      const checks = await checker.check({ minerId: MINER, sectorSize: SECTOR_BYTES, sectors: wanted });
      const check = performance.now() - began;
      const notGood = checks.filter(({ verdict }) => verdict !== 'good').length;
      if (notGood > 0) throw new Error(`${notGood} sectors are not good`);
      // The first one starts processes and fills the system's cache.
      if (round > 0) rounds.push({ bare, check });
    }
  } finally {
    checker.close();
    await rm(store, { recursive: true });
  }
  return rounds;
}

/** A section of the page. */
export function checkLines(rounds: Awaited<ReturnType<typeof measureCheck>>): string[] {
  const middle = rounds.map(({ bare, check }) => check / bare).sort((left, right) => left - right)[ROUNDS >> 1] ?? 0;
  return [
    '',
    '## The check',
    '',
    `${PARTITION_SECTORS.toLocaleString('en')} sectors of 32 GiB in one local store: a sealed file, a folder and 10 files in it of each. The bare loop calls`,
    '`stat` for all of them, as many at a time as Node has threads for. Wanted: at most 1.3 times the bare loop.',
    '',
    '| round | bare loop | check | ratio |',
    '|---:|---:|---:|---:|',
    ...rounds.map(
      ({ bare, check }, round) =>
        `| ${round + 1} | ${bare.toFixed(0)} ms | ${check.toFixed(0)} ms | ${(check / bare).toFixed(2)} |`,
    ),
    `| middle | | | ${middle.toFixed(2)} |`,
  ];
}
