import { writeFile } from 'node:fs/promises';
import type { RpcClient } from '../src/rpc/rpc-client.ts';
import type { WindowPostTask } from '../src/rpc/window-post.ts';
import type { Servers } from './servers.ts';
import { monotonicNs, Stage, until } from './stage.ts';
import { gateOf, type MasterInit, startMaster, startSlave, startsOf, submitter } from './systems/wdpost.ts';

export interface ClusterInit extends MasterInit {
  /** Each of one slot. */
  readonly slaves: number;
  readonly slaveEnv: (stage: Stage) => NodeJS.ProcessEnv;
}

/** A master and slaves of one slot, for cells that look at single tasks. */
export class Cluster {
  readonly stage: Stage;
  readonly client: RpcClient;
  readonly #provenAt: Map<string, number>;

  private constructor(stage: Stage, client: RpcClient, provenAt: Map<string, number>) {
    this.stage = stage;
    this.client = client;
    this.#provenAt = provenAt;
  }

  /** Resolves when all slaves are ready, or wait for the gate. */
  static async open(servers: Servers, init: ClusterInit): Promise<Cluster> {
    const stage = await Stage.open('cluster');
    try {
      const master = await startMaster(servers, stage, init);
      const env: NodeJS.ProcessEnv = { BENCH_STARTS: startsOf(stage), ...init.slaveEnv(stage) };
      const names = Array.from({ length: init.slaves }, (_, index) => `slave-${index + 1}`);
      for (const name of names) await startSlave(stage, master.address, { name, concurrent: 1 }, env);
      if (env.BENCH_GATE === undefined) for (const name of names) await stage.untilLogged(name, 'slave ready');
      const provenAt = new Map<string, number>();
      const client = await submitter(master.address, (id, state) => {
        if (state === 'proven') provenAt.set(id, monotonicNs());
      });
      return new Cluster(stage, client, provenAt);
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** The task's id. */
  async submit(task: WindowPostTask, closeAt: number | null = null): Promise<string> {
    const { id } = await this.client.call('task.submit', { task, closeAt });
    return id;
  }

  /** When the cluster said so, in nanoseconds of CLOCK_MONOTONIC. */
  async untilProven(id: string, limitMs?: number): Promise<number> {
    await until(`task ${id} to be proven`, () => this.#provenAt.has(id), limitMs);
    return this.#provenAt.get(id) ?? Number.NaN;
  }

  /** Milliseconds from submission to proven. */
  async prove(task: WindowPostTask, limitMs?: number): Promise<number> {
    const from = monotonicNs();
    return ((await this.untilProven(await this.submit(task), limitMs)) - from) / 1e6;
  }

  /** Children that waited for the gate are ready. */
  async release(): Promise<void> {
    await writeFile(gateOf(this.stage), '');
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.stage.close();
  }
}
