import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Daemon } from './daemon.ts';
import type { DatabaseServer } from './database-server.ts';
import { type Effect, readEffects } from './effects.ts';
import { LinkProxy, type LinkState, Links } from './link-proxy.ts';
import { pause } from './pause.ts';

export interface WorldInit {
  readonly database: DatabaseServer;
  readonly masters: number;
  readonly slaves: number;
  /** Of the masters. Default: HEARTBEAT_TIMEOUT_MS. */
  readonly heartbeatTimeoutMs?: number;
  /** Of the masters, as their file has it. Default: PROGRESS_TIMEOUT. */
  readonly timeout?: string;
  /** Without it, the scripted one. */
  readonly realProver?: { readonly bin: string; readonly parameters: string };
}

/** What the submitter is told. Times in milliseconds since 1970. */
export interface SubmitterTask {
  readonly id: string;
  readonly task: object;
  readonly submitAt: number;
  readonly closeAt: number | null;
}

/** A lease. Three heartbeats of a slave fit into it, whatever its configuration says. */
export const HEARTBEAT_TIMEOUT_MS = 1_000;
/** Without progress. A real proof takes seconds where four slaves share two cores. */
const PROGRESS_TIMEOUT = { scripted: '2s', real: '30s' };

const READY_LIMIT_MS = 30_000;
const HERE = resolve('test/chaos');
/** Of a database that may stand still. */
const QUESTION_LIMIT_MS = 100;
const BASE_PORT = 4700;
let worlds = 0;

/** Masters, slaves and a submitter as processes on one database, every link between them through a proxy. */
export class World {
  readonly home: string;
  readonly effectsFile: string;
  readonly schema: string;
  readonly database: DatabaseServer;
  readonly links = new Links();
  readonly masters: readonly Daemon[];
  readonly slaves: readonly Daemon[];
  readonly submitter: Daemon;
  readonly #proxies: LinkProxy[] = [];
  readonly #env: NodeJS.ProcessEnv;
  readonly #host: string;
  readonly #heartbeatTimeoutMs: number;
  readonly #progressTimeout: string;
  #masterAddresses: string[] = [];

  private constructor(home: string, init: WorldInit) {
    this.home = home;
    this.database = init.database;
    this.effectsFile = join(home, 'effects.jsonl');
    this.schema = `chaos_${process.pid}_${++worlds}`;
    // An address of its own on the loopback: no other world, and nothing else of this machine, has its ports.
    this.#host = `127.${(process.pid >> 8) % 256}.${process.pid % 256}.${(worlds % 254) + 1}`;
    this.#env = {
      ...process.env,
      TMPDIR: home,
      LOG_LEVEL: 'debug',
      WDPOST_TOKEN: '',
      WDPOST_PROVER: join(HERE, init.realProver === undefined ? 'prover.mjs' : 'relay.mjs'),
      ...(init.realProver && {
        CHAOS_PROVER: init.realProver.bin,
        FIL_PROOFS_PARAMETER_CACHE: init.realProver.parameters,
        WDPOST_LOCK_DIR: join(home, 'locks'),
        // Proofs on a GPU leave the processor to the heartbeats.
        RAYON_NUM_THREADS: '1',
      }),
      CHAOS_EFFECTS: this.effectsFile,
      CHAOS_STARTS: join(home, 'starts'),
      CHAOS_SECRET: `${process.pid}`,
    };
    this.#heartbeatTimeoutMs = init.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS;
    this.#progressTimeout = init.timeout ?? PROGRESS_TIMEOUT[init.realProver === undefined ? 'scripted' : 'real'];
    const bin = (name: string) => resolve('bin', name);
    this.masters = names('master', init.masters).map((name) => this.#daemon(name, bin('wdpost-master-daemon')));
    this.slaves = names('slave', init.slaves).map((name) => this.#daemon(name, bin('wdpost-slave-daemon')));
    this.submitter = new Daemon('submitter', {
      args: [join(HERE, 'submitter.mjs'), join(home, 'submitter.json')],
      env: { ...this.#env, CHAOS_WHO: 'submitter' },
      log: join(home, 'submitter.log'),
    });
  }

  /** Files and proxies; no process runs yet. */
  static async make(init: WorldInit): Promise<World> {
    const home = await mkdtemp(join(tmpdir(), 'chaos-'));
    const world = new World(home, init);
    await world.#prepare();
    return world;
  }

  start(): void {
    for (const daemon of [...this.masters, ...this.slaves]) daemon.start();
  }

  /** Resolves when every slave has a prover; the masters may not lead yet. */
  async untilReady(): Promise<void> {
    const ready = await this.until(READY_LIMIT_MS, (effects) => {
      const provers = effects.filter(({ stage }) => stage === 'window_post').map(({ who }) => who);
      return new Set(provers).size === this.slaves.length || undefined;
    });
    if (ready === undefined) throw new Error(`the slaves do not become ready; their logs are in ${this.home}`);
  }

  async effects(): Promise<Effect[]> {
    return await readEffects(this.effectsFile);
  }

  /** Resolves when the log is as wanted; undefined when that did not come in time. */
  async until<T>(limitMs: number, found: (effects: readonly Effect[]) => T | undefined): Promise<T | undefined> {
    for (const end = performance.now() + limitMs; performance.now() < end; ) {
      const result = found(await this.effects());
      if (result !== undefined) return result;
      await pause(20);
    }
    return undefined;
  }

  /** By a submitter that begins anew, and knows of nothing else. */
  async submit(tasks: readonly SubmitterTask[]): Promise<void> {
    await this.submitter.end('SIGKILL');
    const plan = { urls: this.#masterAddresses, token: 'submitter', tasks };
    await writeFile(join(this.home, 'submitter.json'), JSON.stringify(plan));
    this.submitter.start();
  }

  /** By name; undefined while nobody does, or the database is away. */
  async leader(): Promise<string | undefined> {
    const question = this.database.query<{ master: string }>(`SELECT master FROM ${this.schema}.leadership`);
    const [row] = await Promise.race([question, pause(QUESTION_LIMIT_MS).then(() => [])]).catch(() => []);
    return this.masters.find((_, index) => row?.master.endsWith(`:${BASE_PORT + index}`))?.name;
  }

  /** Of one slave, or the submitter, to all masters. */
  setLinks(who: string, state: LinkState): void {
    for (const master of this.masters) this.links.set(`${who}/${master.name}`, state);
  }

  /** Of all masters. */
  setDatabaseLinks(state: LinkState): void {
    for (const master of this.masters) this.links.set(`${master.name}/database`, state);
  }

  /** Nothing happens to one that has ended: its number may be another process's by now. */
  async signalProver(pid: number | undefined, signal: NodeJS.Signals): Promise<void> {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (pid !== undefined && environment.includes(this.effectsFile)) process.kill(pid, signal);
  }

  /** Kills everything but the database. */
  async halt(): Promise<void> {
    await Promise.all([this.submitter, ...this.slaves, ...this.masters].map((daemon) => daemon.end('SIGKILL')));
  }

  /** The files stay when they are wanted. */
  async stop(keep: boolean): Promise<void> {
    await this.halt();
    // A stopped prover outlives its slave.
    for (const { pid } of (await this.effects()).filter((effect) => effect.what === 'ready')) {
      await this.signalProver(pid, 'SIGKILL');
    }
    for (const proxy of this.#proxies) proxy.close();
    await this.database.query(`DROP DATABASE ${this.schema}`);
    if (!keep) await rm(this.home, { recursive: true, force: true });
  }

  #daemon(name: string, program: string): Daemon {
    return new Daemon(name, {
      args: [program, '-c', join(this.home, `${name}.toml`)],
      env: { ...this.#env, CHAOS_WHO: name },
      log: join(this.home, `${name}.log`),
    });
  }

  async #prepare(): Promise<void> {
    await mkdir(join(this.home, 'starts'));
    await writeFile(this.effectsFile, '');
    const tokens = ['submit,read,admin submitter', ...this.slaves.map(({ name }) => `slave ${name}`)];
    await writeFile(join(this.home, 'tokens'), tokens.join('\n'));
    await this.database.query(`CREATE DATABASE ${this.schema} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
    this.#masterAddresses = await Promise.all(this.masters.map((master, index) => this.#prepareMaster(master, index)));
    for (const slave of this.slaves) await this.#prepareSlave(slave);
  }

  async #prepareMaster({ name }: Daemon, index: number): Promise<string> {
    const port = BASE_PORT + index;
    const front = await this.#proxy({ host: this.#host, port }, (head) => {
      const token = /authorization: Bearer (\S+)/i.exec(head.toString('latin1'))?.[1] ?? 'unknown';
      return `${token}/${name}`;
    });
    const database = await this.#proxy({ path: this.database.socketPath }, `${name}/database`);
    await writeFile(
      join(this.home, `${name}.toml`),
      `[server]
listen = '${this.#host}:${port}'
${this.masters.length > 1 ? `advertise = '${front}'` : ''}
token_file = '${join(this.home, 'tokens')}'
[db]
url = 'mysql://root@${database}/${this.schema}'
[task]
timeout = '${this.#progressTimeout}'
heartbeat_timeout = '${this.#heartbeatTimeoutMs}ms'
retry_job_interval = '200ms'
max_retry = 50
`,
    );
    return front;
  }

  async #prepareSlave({ name }: Daemon): Promise<void> {
    const file = (suffix: string) => join(this.home, `${name}.${suffix}`);
    await writeFile(file('token'), name);
    const addresses = this.#masterAddresses.map((address) => `'${address}'`).join(', ');
    await writeFile(
      file('toml'),
      `[master]
server_addr = [${addresses}]
reconnect_interval = '100ms'
heartbeat_interval = '300ms'
token_file = '${file('token')}'
[slave]
name = '${name}'
concurrent = 1
pull_interval = '500ms'
`,
    );
  }

  async #proxy(
    target: { readonly host: string; readonly port: number } | { readonly path: string },
    link: string | ((head: Buffer) => string),
  ): Promise<string> {
    const proxy = new LinkProxy({ host: this.#host, links: this.links, target, link });
    this.#proxies.push(proxy);
    return `${this.#host}:${await proxy.listen()}`;
  }
}

function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
}
