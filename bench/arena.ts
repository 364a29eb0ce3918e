import type { ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { CodedError } from '../src/errors/coded-error.ts';
import { cpuSince, cpuTimes } from './cpu.ts';
import { roleScript } from './paths.ts';
import type { FromRole, ToRole } from './role-messages.ts';
import type { Servers } from './servers.ts';
import { Stage, until } from './stage.ts';
import { CONSUMERS, type System } from './systems/system.ts';
import { gateOf, startsOf } from './systems/wdpost.ts';

type Message<T extends FromRole['type']> = Extract<FromRole, { type: T }>;

/** One system with its producer and its two consumers, which wait until `release`. */
export class Arena {
  readonly #stage: Stage;
  readonly #servers: Servers;
  readonly #system: System;
  readonly #producer: ChildProcess;
  readonly #consumers: readonly ChildProcess[];
  readonly #finished = new Map<ChildProcess, Message<'finished'>>();
  #cpu: ReadonlyMap<string, number> = new Map();

  private constructor(stage: Stage, servers: Servers, system: System, place: string) {
    this.#stage = stage;
    this.#servers = servers;
    this.#system = system;
    const role = (name: string, ...args: string[]): ChildProcess => {
      const child = stage.fork(name, roleScript, [...args, system.name, place]);
      child.on('message', (message: FromRole) => {
        if (message.type === 'finished') this.#finished.set(child, message);
      });
      return child;
    };
    this.#producer = role('producer', 'producer');
    const names =
      system.consumer === undefined ? [] : Array.from({ length: CONSUMERS }, (_, index) => `consumer-${index + 1}`);
    this.#consumers = names.map((name) => role(name, 'consumer'));
  }

  static async open(system: System, servers: Servers): Promise<Arena> {
    const stage = await Stage.open(system.name);
    try {
      const place = await system.prepare(servers, stage);
      const arena = new Arena(stage, servers, system, place);
      await Promise.all([arena.#producer, ...arena.#consumers].map((child) => arena.#answer(child, 'ready')));
      return arena;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** Results stored so far, and when the last one was (CLOCK_MONOTONIC, nanoseconds). */
  get finished(): { count: number; lastAt: number } {
    const all = [...this.#finished.values()];
    return {
      count: all.reduce((sum, { count }) => sum + count, 0),
      lastAt: Math.max(0, ...all.map(({ lastAt }) => lastAt)),
    };
  }

  /** Consumers begin. */
  async release(): Promise<void> {
    await writeFile(gateOf(this.#stage), '');
    for (const consumer of this.#consumers) tell(consumer, { type: 'consume' });
  }

  /** Resolves when all of them were taken. */
  async enqueue(order: Extract<ToRole, { type: 'backlog' | 'arrivals' }>): Promise<Message<'enqueued'>> {
    const done = this.#answer(this.#producer, 'enqueued');
    tell(this.#producer, order);
    return await done;
  }

  async untilFinished(count: number): Promise<void> {
    await until(
      `${count} results of ${this.#system.name} (${this.finished.count} are there)`,
      () => this.finished.count >= count,
    );
  }

  /** When the handler began with each task, by task number; CLOCK_MONOTONIC in nanoseconds. */
  async starts(): Promise<Map<number, number>> {
    const reports = this.#consumers.map((consumer) => {
      const report = this.#answer(consumer, 'starts');
      tell(consumer, { type: 'report' });
      return report;
    });
    const pairs = (await Promise.all(reports)).flatMap(({ starts }) => starts);
    const text = await readFile(startsOf(this.#stage), 'utf8').catch(() => '');
    for (const line of text.split('\n').filter((part) => part !== '')) {
      const [number = 0, at = 0] = line.split(' ').map(Number);
      pairs.push([number, at]);
    }
    return new Map(pairs);
  }

  startCpu(): void {
    this.#cpu = cpuTimes(this.#pids());
  }

  /** CPU milliseconds by process since `startCpu`, divided by `count`. */
  cpuPer(count: number): Record<string, number> {
    const used = [...cpuSince(this.#cpu, this.#pids())].filter(([, ms]) => ms > 0);
    return Object.fromEntries(used.map(([name, ms]) => [name, ms / count]));
  }

  async close(): Promise<void> {
    for (const child of [this.#producer, ...this.#consumers]) tell(child, { type: 'end' });
    await this.#stage.close();
  }

  #answer<T extends FromRole['type']>(child: ChildProcess, type: T): Promise<Message<T>> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => {
        const name = child === this.#producer ? 'producer' : `consumer-${this.#consumers.indexOf(child) + 1}`;
        reject(
          new CodedError('process-ended', `${name} of ${this.#system.name} ended: ${this.#stage.lastWords(name)}`),
        );
      };
      const onMessage = (message: FromRole): void => {
        if (message.type !== type) return;
        child.off('message', onMessage);
        child.off('exit', onExit);
        resolve(message as Message<T>);
      };
      child.on('message', onMessage);
      child.once('exit', onExit);
    });
  }

  #pids(): Map<string, number> {
    const pids = new Map(this.#stage.pids);
    const server = this.#system.server === null ? undefined : this.#servers.pid(this.#system.server);
    if (server !== undefined) pids.set('server', server);
    return pids;
  }
}

function tell(child: ChildProcess, message: ToRole): void {
  if (child.connected) child.send(message);
}
