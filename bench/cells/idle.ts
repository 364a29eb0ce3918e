import { systemClock } from '../../src/clock/system-clock.ts';
import { cpuSince, cpuTimes, residentMegabytes } from '../cpu.ts';
import { connectMariadb, status } from '../database.ts';
import type { FromFakeSlaves, ToFakeSlaves } from '../fake-slave-messages.ts';
import { fakeSlavesScript } from '../paths.ts';
import type { Measurement } from '../records.ts';
import type { Servers } from '../servers.ts';
import { monotonicNs, Stage, until } from '../stage.ts';
import { percentile } from '../stats.ts';
import { startMaster, submitter } from '../systems/wdpost.ts';
import { taskMaker } from '../tasks.ts';

const PROBES = 200;
const PAUSE_MS = 20;
const SETTLE_MS = 2_000;

export interface IdleInit {
  readonly slaves: number;
  /** How long statements are counted. */
  readonly seconds: number;
  readonly round: number;
}

/**
 * Connected slaves with nothing to do: statements of the database, connections, CPU and memory of the master; the latency of one
 * task at a time among them; and, with a fifth of them at work, a SIGKILL and restart of the master.
 */
export async function idle(servers: Servers, { slaves, seconds, round }: IdleInit): Promise<Measurement> {
  const stage = await Stage.open('idle');
  const connection = await connectMariadb(servers);
  try {
    const connectionsBefore = await status(connection, 'Threads_connected');
    const master = await startMaster(servers, stage, { server: `max_connections = ${slaves + 100}` });
    const fleet = new Fleet(stage);
    fleet.tell({ type: 'join', address: master.address, count: slaves });
    await until(`${slaves} slaves to join`, () => fleet.joined >= slaves);
    await systemClock.sleep(SETTLE_MS);

    const questions = await status(connection, 'Questions');
    const cpu = cpuTimes(stage.pids);
    await systemClock.sleep(seconds * 1000);
    // One of them asks.
    const statementsPerSecond = ((await status(connection, 'Questions')) - questions - 1) / seconds;
    const connections = (await status(connection, 'Threads_connected')) - connectionsBefore;
    const masterCpuPercent = (cpuSince(cpu, stage.pids).get('master') ?? 0) / (seconds * 10);
    const masterMegabytes = residentMegabytes(stage.pids.get('master') ?? 0);

    const client = await submitter(master.address);
    const make = taskMaker('4KB');
    const times: number[] = [];
    for (let number = 0; number < PROBES; number++) {
      const at = monotonicNs();
      const { id } = await client.call('task.submit', { task: make(number), closeAt: null });
      await until('a start', () => fleet.starts.has(id));
      times.push(((fleet.starts.get(id) ?? Number.NaN) - at) / 1e6);
      await systemClock.sleep(PAUSE_MS);
    }

    fleet.tell({ type: 'hold' });
    const busy = Math.ceil(slaves / 5);
    const started = fleet.starts.size;
    for (let number = 0; number < busy; number++) {
      await client.call('task.submit', { task: make(PROBES + number), closeAt: null });
    }
    await until(`${busy} slaves to be at work`, () => fleet.starts.size >= started + busy);
    await client.close();
    const joinedBefore = fleet.joined;
    await stage.kill('master', 'SIGKILL');
    const killedAt = monotonicNs();
    master.restart();
    await until('all slaves to be back', () => fleet.joined >= joinedBefore + slaves);
    const backSeconds = (fleet.lastJoinedAt - killedAt) / 1e9;
    const leasesLost = await fleet.finish();

    const values = {
      statementsPerSecond,
      connections,
      masterCpuPercent,
      masterMegabytes,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      backSeconds,
      leasesLost,
    };
    return { cell: 'idle', variant: `${slaves} slaves`, system: 'wdpost', round, values };
  } finally {
    await connection.end();
    await stage.close();
  }
}

/** The process of the fake slaves. */
class Fleet {
  readonly starts = new Map<string, number>();
  joined = 0;
  lastJoinedAt = 0;
  #lost: number | undefined;
  readonly tell: (message: ToFakeSlaves) => void;

  constructor(stage: Stage) {
    const child = stage.fork('fake-slaves', fakeSlavesScript, []);
    this.tell = (message) => child.send(message);
    child.on('message', (message: FromFakeSlaves) => {
      if (message.type === 'started') this.starts.set(message.id, message.at);
      if (message.type === 'results') this.#lost = message.held - message.accepted;
      if (message.type === 'joined') {
        this.joined = message.count;
        this.lastJoinedAt = message.lastAt;
      }
    });
  }

  /** Finishes what the slaves hold; how many results were refused. */
  async finish(): Promise<number> {
    this.tell({ type: 'finish' });
    await until('results to be taken', () => this.#lost !== undefined);
    return this.#lost ?? 0;
  }
}
