import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { Gate } from '../../src/clock/gate.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { TaskView } from '../../src/rpc/methods.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import type { WindowPostTask } from '../../src/rpc/window-post.ts';
import { fakeTask, proverEnv } from '../ext-processor/real-prover.ts';
import { createTestDatabase } from '../support/database.ts';
import { EventQueue } from '../support/event-queue.ts';
import { freePorts } from '../support/mariadb-server.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { olderBuild } from './older-build.ts';

const components = { clock: systemClock, logger: silentLogger };
const ASK_AGAIN_MS = 500;

interface Place {
  readonly program: string;
  readonly file: string;
  /** What it logs when it is at work. */
  readonly ready: string;
}

interface Daemon {
  readonly child: ChildProcess;
  readonly log: EventQueue<{ readonly msg: string }>;
}

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'rolling-'));
  onTestFinished(() => rm(home, { recursive: true }));
  return home;
}

/** The daemons of a cluster, of which each can be replaced by that of another build. */
class Cluster {
  readonly #places: Readonly<Record<string, Place>>;
  readonly #running = new Map<string, Daemon>();

  constructor(places: Readonly<Record<string, Place>>) {
    this.#places = places;
  }

  /** As an upgrade does it: SIGTERM, the other program, the same file. */
  async replace(name: string, root: string): Promise<void> {
    await this.end(name);
    const { program = '', file = '', ready = '' } = this.#places[name] ?? {};
    const env = { ...proverEnv, WDPOST_TOKEN: '' };
    const child = spawn(join(root, 'bin', program), ['-c', file], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const log = new EventQueue<{ msg: string }>();
    createInterface({ input: child.stderr }).on('line', (line) => log.push(JSON.parse(line)));
    this.#running.set(name, { child, log });
    await log.until(({ msg }) => msg === ready);
  }

  async end(name: string): Promise<void> {
    const daemon = this.#running.get(name);
    if (daemon === undefined) return;
    this.#running.delete(name);
    const exit = once(daemon.child, 'exit');
    daemon.child.kill('SIGTERM');
    expect(await exit, name).toEqual([0, null]);
  }

  async stop(): Promise<void> {
    for (const name of [...this.#running.keys()].reverse()) await this.end(name);
  }
}

/** A manager that always has the next task ready, and asks again for one until it is proven, as ours does. */
class Submitter {
  readonly proven = new EventQueue<TaskView>();
  readonly #client: RpcClient;
  readonly #changed = new Gate(components);
  readonly #template: WindowPostTask;
  #stopped = false;
  #ended: Promise<void> | undefined;

  constructor(url: string, template: WindowPostTask) {
    this.#template = template;
    this.#client = new RpcClient(components, {
      urls: [url],
      reconnectIntervalMs: 50,
      hello: () => ({ role: 'submitter', name: 'rolling' }),
      handlers: {
        'task.changed': () => {
          this.#changed.open();
          return null;
        },
      },
    });
  }

  async start(): Promise<void> {
    await this.#client.start();
    this.#ended = Promise.all([this.#submitAll(0), this.#submitAll(128)]).then(() => {});
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    await this.#client.close();
  }

  /** Two at a time, so that work is under way whenever something is replaced. */
  async #submitAll(first: number): Promise<void> {
    for (let number = first; !this.#stopped; number++) {
      const task = { ...this.#template, seed: this.#template.seed.map((byte, at) => (at === 0 ? number : byte)) };
      const view = await this.#untilProven(task);
      if (view !== undefined) this.proven.push(view);
    }
  }

  async #untilProven(task: WindowPostTask): Promise<TaskView | undefined> {
    while (!this.#stopped) {
      const view = await this.#client.call('task.submit', { task, closeAt: null }).catch(() => undefined);
      if (view?.state === 'proven') return view;
      await this.#changed.wait(ASK_AGAIN_MS);
      this.#changed.shut();
    }
    return undefined;
  }
}

test('a cluster is upgraded and downgraded by a version, program by program, while it proves', {
  timeout: 300_000,
}, async () => {
  const home = await newHome();
  const { url, db, drop } = await createTestDatabase();
  onTestFinished(drop);
  const [port] = await freePorts(1);
  const older = await olderBuild(join(home, 'older'));
  const newer = process.cwd();
  const file = async (name: string, text: string) => {
    await writeFile(join(home, name), text);
    return join(home, name);
  };
  const slave = async (name: string): Promise<Place> => ({
    program: 'wdpost-slave-daemon',
    file: await file(
      `${name}.toml`,
      `[master]\nserver_addr = '127.0.0.1:${port}'\nreconnect_interval = '100ms'\n[slave]\nname = '${name}'\n`,
    ),
    ready: 'slave ready',
  });
  const cluster = new Cluster({
    master: {
      program: 'wdpost-master-daemon',
      file: await file(
        'master.toml',
        `[server]\nlisten = '127.0.0.1:${port}'\n[db]\nurl = '${url}'\n[task]\nretry_job_interval = '1s'\n`,
      ),
      ready: 'master listens',
    },
    a: await slave('a'),
    b: await slave('b'),
  });
  onTestFinished(() => cluster.stop());
  for (const name of ['master', 'a', 'b']) await cluster.replace(name, older);
  const submitter = new Submitter(`127.0.0.1:${port}`, await fakeTask(join(home, 'store'), 2));
  await submitter.start();
  onTestFinished(() => submitter.stop());

  const steps = [newer, older].flatMap(
    (build) =>
      [
        ['a', build],
        ['master', build],
        ['b', build],
      ] as const,
  );
  for (const [name, build] of steps) {
    // A proof of the cluster as it is now.
    while (submitter.proven.size > 0) await submitter.proven.next();
    expect(await submitter.proven.next()).toMatchObject({ output: { faults: [] } });
    await cluster.replace(name, build);
  }
  for (const name of ['a', 'b']) {
    while ((await submitter.proven.next()).slave !== name);
  }
  const unwell = await db.kysely.selectFrom('tasks').select('id').where('error_reason', 'is not', null).execute();
  expect(unwell).toEqual([]);
});
