import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { vi } from 'vitest';
import type { Chain } from '../../src/chain/chain.ts';
import type { TipSet } from '../../src/chain/tipset.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import type { Database } from '../../src/database/database.ts';
import type { PostPartitionsTable } from '../../src/database/tables/poster.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { Bitfield } from '../../src/filecoin/bitfield.ts';
import { sealedCid } from '../../src/filecoin/cid.ts';
import { deadlineAt } from '../../src/filecoin/deadline.ts';
import type { MinerSettings, PosterComponents } from '../../src/poster/components.ts';
import { MinerPoster } from '../../src/poster/miner-poster.ts';
import type { TaskView } from '../../src/rpc/methods.ts';
import type { WindowPostTask } from '../../src/rpc/window-post.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { EventQueue } from '../support/event-queue.ts';

/** Of the only deadline with anything in it: challenge 80, open 100, close 160. */
const PERIOD_START = 100;
/** RegisteredPoStProof of 2 KiB sectors. */
const PROOF_TYPE = 10;

type Verdict = 'good' | 'bad' | 'unknown';

/** A miner's poster with real rows and everything around it in the test's hands. One miner for each scene. */
export class Scene {
  readonly alerts = new RecordedAlerts();
  /** What the poster says, warnings and worse. */
  readonly log = new EventQueue<{ readonly msg: string }>();
  /** Sector numbers of each partition. */
  readonly partitions: readonly (readonly number[])[];
  /** What a look finds where it is not good. */
  readonly verdicts = new Map<number, Verdict>();
  readonly submitted: WindowPostTask[] = [];
  readonly tasks = new Map<string, TaskView>();
  /** Partitions that the chain counts as proven. */
  posted: readonly number[] = [];
  /** Changes the challenge and the commitment. */
  fork = 0;
  /** A task ends at once, with every sector faulty. */
  fails = false;
  /** Stores that have a copy of every sector, in the order in which they are looked at. */
  stores: readonly string[] = ['a'];
  /** Sealed files that give no proof, as `/a/3`: a task with one of them ends at once. */
  readonly corrupt = new Set<string>();
  /** Proofs verify. */
  verifies = true;
  /** But not those of these bytes. */
  readonly wrong = new Set<number>();
  /** The master forgets a refused proof. */
  takesRefusals = true;
  /** Ids of the tasks whose proof was refused. */
  readonly refused: string[] = [];
  readonly cancelled: string[] = [];
  /** Called when a look ended. */
  onCheck: () => void = () => {};
  /** Called before a task is taken. */
  beforeSubmit: (task: WindowPostTask) => Promise<void> = async () => {};
  readonly components: PosterComponents;
  readonly #db: Database;
  readonly #minerId: number;

  constructor(db: Database, minerId: number, partitions: readonly (readonly number[])[]) {
    this.#db = db;
    this.#minerId = minerId;
    this.partitions = partitions;
    this.components = {
      clock: systemClock,
      logger: pino({ level: 'warn' }, { write: (line) => this.log.push(JSON.parse(line)) }),
      alerts: this.alerts,
      db,
      chain: this.#chain() as Chain,
      tasks: {
        submit: (task) => this.#submit(task),
        get: async (id) => this.tasks.get(id) ?? null,
        cancel: async (id) => {
          this.cancelled.push(id);
        },
        refuse: async (id) => this.#refuse(id),
      },
      verifier: {
        verify: async ({ proof }) => ({ valid: this.verifies && !this.wrong.has(proof[0] ?? 0), reason: null }),
        verifyTask: async () => ({ valid: true, reason: null }),
        close: async () => {},
      },
      checker: {
        check: async ({ sectors }) => {
          setImmediate(this.onCheck);
          return sectors.map(({ number, corrupt = [] }) => {
            const verdict = this.verdicts.get(number) ?? 'good';
            if (verdict !== 'good') return { number, verdict, reason: 'a: EIO' };
            const isUntried = (store: string) => !corrupt.some((copy) => copy.sealedFile === `/${store}/${number}`);
            const store = this.stores.find(isUntried) ?? 'a';
            const copy = { number, store, sealedFile: `/${store}/${number}`, cacheDir: `/${store}/c${number}` };
            return isUntried(store)
              ? { ...copy, verdict }
              : { ...copy, verdict: 'corrupt', reason: 'its copies gave no proof' };
          });
        },
      },
      rehearser: { faults: async () => new Map() },
      onIntent: () => {},
    };
  }

  poster(more: Partial<MinerSettings> = {}): MinerPoster {
    const miner: MinerSettings = {
      minerId: this.#minerId,
      address: idAddress(this.#minerId),
      sender: idAddress(100),
      challengeConfidence: 10,
      submitConfidence: 4,
      messageConfidence: 10,
      maxPartitions: 3,
      maxSkipShare: 0.2,
      parallel: false,
      maxFee: 10n ** 18n,
      maxRecoveryFee: 10n ** 18n,
      firstRunGate: false,
      maxRecoverSectors: 0,
      maxPartitionsPerRecovery: 0,
      ...more,
    };
    return new MinerPoster(this.components, { miner });
  }

  head(height: number): TipSet {
    return { key: [`${this.fork}/${height}`], height, minTimestamp: height * 30 };
  }

  /** Every task there is ends with a proof of this byte. */
  proveAll(byte = 1): void {
    for (const [id, view] of this.tasks) {
      const proofs = [Buffer.alloc(192, byte).toString('base64')];
      this.tasks.set(id, {
        ...view,
        state: 'proven',
        output: { proofs, faults: [] },
        startedAt: 1_000,
        finishedAt: 5_000,
      });
    }
  }

  async rows(): Promise<Pick<PostPartitionsTable, 'state' | 'message_id' | 'reason'>[]> {
    return await this.#db.kysely
      .selectFrom('post_partitions')
      .innerJoin('post_runs', 'post_runs.id', 'run_id')
      .select(['post_partitions.state', 'message_id', 'reason'])
      .where('miner_id', '=', this.#minerId)
      .orderBy('partition_index')
      .execute();
  }

  /** Sectors skipped, of all partitions. */
  async skipped(): Promise<number[]> {
    const rows = await this.#db.kysely
      .selectFrom('post_partitions')
      .innerJoin('post_runs', 'post_runs.id', 'run_id')
      .select('skipped')
      .where('miner_id', '=', this.#minerId)
      .execute();
    return rows.flatMap((row) => [...Bitfield.fromRlePlus(row.skipped)]);
  }

  async messages(): Promise<{ id: string; state: string; expires_epoch: number | null }[]> {
    return await this.#db.kysely
      .selectFrom('messages')
      .select(['id', 'state', 'expires_epoch'])
      .where('miner_id', '=', this.#minerId)
      .orderBy('position')
      .execute();
  }

  /** Until the partitions are in these states. */
  async reaches(...states: readonly string[]): Promise<void> {
    await vi.waitFor(
      async () => {
        const found = (await this.rows()).map((row) => row.state);
        if (found.join() !== states.join()) throw new Error(`${found} instead of ${states}`);
      },
      { timeout: 10_000, interval: 10 },
    );
  }

  async isFinished(): Promise<boolean> {
    const run = await this.#db.kysely
      .selectFrom('post_runs')
      .select('finished_at')
      .where('miner_id', '=', this.#minerId)
      .where('deadline', '=', 0)
      .executeTakeFirst();
    return run !== undefined && run.finished_at !== null;
  }

  async #submit(task: WindowPostTask): Promise<TaskView> {
    await this.beforeSubmit(task);
    this.submitted.push(task);
    const id = createHash('sha256').update(JSON.stringify(task)).digest('hex').slice(0, 32);
    const output = this.fails
      ? { proofs: [], faults: task.replicas.map((replica) => replica.sector_id) }
      : this.#corruptOutput(task);
    const view: TaskView = {
      id,
      state: output === null ? 'waiting' : 'faulted',
      closeAt: null,
      retryCount: 0,
      attempts: 0,
      slave: null,
      phase: null,
      done: 0,
      total: 0,
      createdAt: 0,
      startedAt: null,
      finishedAt: null,
      output,
      error: null,
    };
    this.tasks.set(id, view);
    return view;
  }

  #corruptOutput({ replicas }: WindowPostTask): TaskView['output'] {
    const bad = replicas.filter((replica) => this.corrupt.has(replica.sealed_file));
    if (bad.length === 0) return null;
    return {
      proofs: [],
      faults: bad.map((replica) => replica.sector_id),
      details: bad.map(({ sector_id, sealed_file, cache_dir }) => {
        return { sector_id, class: 'bad', reason: 'corrupt', sealed_file, cache_dir };
      }),
    };
  }

  #refuse(id: string): boolean {
    this.refused.push(id);
    if (!this.takesRefusals) return false;
    const view = this.tasks.get(id);
    if (view !== undefined) this.tasks.set(id, { ...view, state: 'waiting', output: null });
    return true;
  }

  #chain(): Partial<Chain> {
    const heightOf = (key: readonly string[]) => Number(key[0]?.split('/')[1]);
    const all = Bitfield.of(this.partitions.flat());
    return {
      provingDeadline: async (_, key) => deadlineAt(PERIOD_START, heightOf(key)),
      tipSetByHeight: async (height) => this.head(height),
      minerInfo: async () => ({
        owner: idAddress(100),
        worker: idAddress(100),
        controlAddresses: [],
        windowPoStProofType: PROOF_TYPE,
        sectorSize: 2048,
        windowPoStPartitionSectors: 2,
        consensusFaultElapsed: -1,
      }),
      partitions: async (_, deadline) =>
        deadline !== 0
          ? []
          : this.partitions.map((numbers) => {
              const sectors = Bitfield.of(numbers);
              return {
                all: sectors,
                live: sectors,
                active: sectors,
                faulty: Bitfield.empty,
                recovering: Bitfield.empty,
              };
            }),
      deadlines: async () => [{ postSubmissions: Bitfield.of(this.posted), disputableProofCount: 0 }],
      sectors: async () =>
        [...all].map((number) => ({
          number,
          sealProof: 5,
          sealedCid: sealedCid(new Uint8Array(32).fill(number % 7)),
          sectorKeyCid: null,
          expiration: 1_000_000,
        })),
      beaconRandomness: async () => new Uint8Array(32).fill(1 + this.fork),
      ticketRandomness: async () => new Uint8Array(32).fill(51 + this.fork),
    };
  }
}
