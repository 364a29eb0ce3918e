import { backlog } from './cells/backlog.ts';
import { history, prepareHistory } from './cells/history.ts';
import { idle } from './cells/idle.ts';
import { kill } from './cells/kill.ts';
import { latency } from './cells/latency.ts';
import { makespan } from './cells/makespan.ts';
import { partition, slowReads } from './cells/partition.ts';
import { prove } from './cells/prove.ts';
import { slowStore } from './cells/slow-store.ts';
import type { Measurement } from './records.ts';
import type { Servers } from './servers.ts';
import type { System } from './systems/system.ts';
import type { Body } from './tasks.ts';

/** How much of everything; a quick run only shows that it works and roughly how it stands. */
export interface Extent {
  readonly rounds: number;
  readonly backlog: Readonly<Record<Body, number>>;
  readonly latencySeconds: number;
  readonly idleSlaves: readonly number[];
  readonly idleSeconds: number;
  readonly proofs: number;
  /** Rounds of the cells that take minutes. */
  readonly longRounds: number;
  readonly sectors: number;
}

export const full: Extent = {
  rounds: 5,
  backlog: { '4KB': 10_000, '700KB': 500 },
  latencySeconds: 12,
  idleSlaves: [1, 100, 1000],
  idleSeconds: 30,
  proofs: 6,
  longRounds: 3,
  sectors: 2_349,
};

export const quick: Extent = {
  rounds: 2,
  backlog: { '4KB': 2_000, '700KB': 100 },
  latencySeconds: 4,
  idleSlaves: [1, 1000],
  idleSeconds: 8,
  proofs: 2,
  longRounds: 1,
  sectors: 200,
};

const RATES = [
  { body: '4KB', rate: 50 },
  { body: '700KB', rate: 5 },
  { body: '700KB', rate: 40 },
] as const;
const READ_DELAY_MS = 10;
const SLOW_STORE_READ_MS = 50;

export interface Context {
  readonly servers: Servers;
  readonly extent: Extent;
  /** Those that take part. */
  readonly systems: readonly System[];
  /** Folder of proof parameters. */
  readonly parameters: string;
}

/** The cells by name, in the order of a run. What a cell compares is measured in turn, round by round. */
export const cells: Readonly<Record<string, (context: Context) => AsyncGenerator<Measurement>>> = {
  async *backlog({ servers, extent, systems }) {
    for (let round = 0; round < extent.rounds; round++) {
      for (const body of ['4KB', '700KB'] as const) {
        for (const system of systems)
          yield* await backlog(system, servers, { body, count: extent.backlog[body], round });
      }
    }
  },
  async *latency({ servers, extent, systems }) {
    const seconds = extent.latencySeconds;
    for (let round = 0; round < extent.rounds; round++) {
      for (const { body, rate } of RATES) {
        for (const system of systems) yield await latency(system, servers, { body, rate, seconds, round });
      }
    }
  },
  async *idle({ servers, extent }) {
    for (let round = 0; round < extent.longRounds; round++) {
      for (const slaves of extent.idleSlaves) yield await idle(servers, { slaves, seconds: extent.idleSeconds, round });
    }
  },
  async *history({ servers, extent }) {
    await prepareHistory(servers);
    for (let round = 0; round < extent.longRounds; round++) {
      yield* await history(servers, { count: extent.backlog['4KB'], seconds: extent.latencySeconds, round });
    }
  },
  async *prove({ servers, extent, parameters }) {
    yield* await prove(servers, { times: extent.proofs, parameters });
  },
  async *partition({ servers, extent }) {
    for (let round = 0; round < extent.longRounds; round++) {
      yield await partition(servers, { sectors: extent.sectors, round });
    }
  },
  async *'slow-reads'({ servers, extent }) {
    yield await slowReads(servers, { sectors: extent.sectors, round: 0, delayMs: READ_DELAY_MS });
  },
  async *'slow-store'({ extent }) {
    yield await slowStore({ sectors: extent.sectors, delayMs: SLOW_STORE_READ_MS, round: 0 });
  },
  async *makespan({ servers, extent }) {
    for (let round = 0; round < extent.longRounds; round++) yield await makespan(servers, { round });
  },
  async *kill({ servers, extent }) {
    for (let round = 0; round < extent.longRounds; round++) {
      for (const signal of ['SIGKILL', 'SIGSTOP'] as const) yield await kill(servers, { signal, round });
    }
  },
};
