import type { Clock } from '../clock/clock.ts';
import { withTimeLimit } from '../clock/time-limit.ts';
import type { Database } from '../database/database.ts';
import { errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { LeaderSilence } from './leader-silence.ts';
import { fenceOf, type LeadershipView, lookAtLeadership, type Role, resign, takeLead } from './leadership-row.ts';

export interface LeadershipInit {
  readonly role: Role;
  /** The same after a restart, another for every other process of the role. */
  readonly name: string;
  /** Where others reach this process, told to them as `leader`. */
  readonly address: string;
  /** Called with a database in which only the leader can write; a failure gives the lead back. */
  readonly onLead: (db: Database) => Promise<void>;
  /** The end of what `onLead` began; never rejects. */
  readonly onLost: () => Promise<void>;
  /** After each look: whether the database answered. */
  readonly onLook?: (isAnswered: boolean) => void;
}

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly db: Database;
}

/** Between looks; each writes that we live, and costs two statements. */
const LOOK_MS = 2_000;
/** A leader that was not heard of for so long is replaced. */
const SILENCE_LIMIT_MS = 6_000;
/** A look that takes longer has failed; after a gap longer than this, a leader may have been kept from writing just as we were. */
const GAP_LIMIT_MS = 2 * LOOK_MS;
const SHORTEST_PAUSE_MS = 100;

/**
 * Which process of a role leads on a database: the one named, with its epoch, in the row of `leadership`. The row is taken by a
 * conditional update; who finds another epoch there has been replaced, and its fenced transactions fail with `not-leading`.
 */
export class Leadership {
  readonly #components: Components;
  readonly #init: LeadershipInit;
  readonly #stop = new AbortController();
  readonly #silence = new LeaderSilence(SILENCE_LIMIT_MS - LOOK_MS);
  #loop: Promise<void> = Promise.resolve();
  /** Beginnings and ends of leading, one after the other. */
  #changes: Promise<void> = Promise.resolve();
  #hurry = new AbortController();
  /** Ours, while we lead. */
  #epoch: number | undefined;
  #leader: string | undefined;
  /** By the database's clock; tells our rows from those of another process with our name. */
  #startedAt: number | undefined;
  #lookedAt: number | undefined;
  #othersLive = false;
  #pauseMs = LOOK_MS;

  constructor(components: Components, init: LeadershipInit) {
    this.#components = components;
    this.#init = init;
  }

  /** Address of the other process that leads, where one is known to live. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** Looks for the first time, and leads at once where nobody does or an earlier life of ours did. */
  async start(): Promise<void> {
    await this.#lookOnce();
    this.#loop = this.#keepLooking();
    await this.settled();
  }

  /** Resolves when what a change of leadership brings about is done. */
  async settled(): Promise<void> {
    await this.#changes;
  }

  /** Looks now. */
  check(): void {
    this.#hurry.abort();
  }

  /** Resigns, so that another process takes over with its next look. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#hurry.abort();
    await this.#loop;
    const led = this.#epoch !== undefined;
    this.#stepDown(`the ${this.#init.role} stops`);
    await this.settled();
    try {
      await resign(this.#components.db, {
        role: this.#init.role,
        name: this.#init.name,
        startedAt: this.#startedAt ?? 0,
      });
    } catch (error) {
      if (led) this.#components.logger.warn({ error: errorText(error) }, 'resigning failed');
    }
  }

  async #keepLooking(): Promise<void> {
    const { clock } = this.#components;
    while (!this.#stop.signal.aborted) {
      this.#hurry = new AbortController();
      await clock.sleep(this.#pauseMs, this.#hurry.signal).catch(() => {});
      if (!this.#stop.signal.aborted) await this.#lookOnce();
    }
  }

  async #lookOnce(): Promise<void> {
    const { clock, db, logger } = this.#components;
    const { role, name, address } = this.#init;
    const gapMs = this.#lookedAt === undefined ? undefined : clock.monotonic() - this.#lookedAt;
    this.#pauseMs = LOOK_MS;
    try {
      const looking = lookAtLeadership(db, { role, name, address, startedAt: this.#startedAt });
      const view = await withTimeLimit(clock, GAP_LIMIT_MS, 'the database', looking);
      this.#lookedAt = clock.monotonic();
      this.#init.onLook?.(true);
      this.#startedAt ??= view.startedAt;
      await this.#judge(view, gapMs);
    } catch (error) {
      logger.debug({ error: errorText(error) }, 'leadership is not known');
      this.#init.onLook?.(false);
      // Whoever still reaches the database leads by now.
      if (this.#othersLive && Number(gapMs) > SILENCE_LIMIT_MS) this.#stepDown('the database is out of reach');
    }
  }

  async #judge(view: LeadershipView, gapMs: number | undefined): Promise<void> {
    const { clock, logger } = this.#components;
    const { role } = this.#init;
    const isNamed = view.leader === this.#init.name;
    const isOurs = isNamed && view.startedAt === this.#startedAt;
    this.#othersLive = view.othersLive;
    // After a gap of our own, the leader gets the time of one look to write again.
    const watchedMs = Number(gapMs) < GAP_LIMIT_MS ? gapMs : undefined;
    const silentMs = this.#silence.observe(view, clock.monotonic(), watchedMs);
    const lives = silentMs !== null && silentMs < GAP_LIMIT_MS;
    this.#leader = isOurs || !lives ? undefined : (view.address ?? undefined);
    if (isOurs && this.#epoch === view.epoch) return;
    this.#stepDown(`another ${role} took the lead`);
    if (isNamed && !isOurs) {
      logger.error({ name: view.leader }, `another ${role} has the name of this one: give its host a name of its own`);
    }
    if (isOurs || silentMs === null || silentMs >= SILENCE_LIMIT_MS) return await this.#take(view);
    if (gapMs === undefined) logger.info({ leader: view.leader, address: view.address }, `${role} stands by`);
    this.#pauseMs = Math.min(LOOK_MS, Math.max(SHORTEST_PAUSE_MS, SILENCE_LIMIT_MS - silentMs));
  }

  async #take({ epoch, leader }: LeadershipView): Promise<void> {
    const { db, logger } = this.#components;
    const { role, name, address, onLead } = this.#init;
    const ours = { role, epoch: epoch + 1, name, address, startedAt: this.#startedAt ?? 0 };
    if (!(await takeLead(db, ours, epoch))) return;
    this.#epoch = ours.epoch;
    this.#leader = undefined;
    logger.info({ epoch: ours.epoch, after: leader }, `${role} leads`);
    this.#change(() => onLead(db.fenced(fenceOf(ours, () => this.check()))));
  }

  #stepDown(reason: string): void {
    if (this.#epoch === undefined) return;
    if (!this.#stop.signal.aborted)
      this.#components.logger.warn({ epoch: this.#epoch, reason }, `${this.#init.role} leads no more`);
    this.#epoch = undefined;
    this.#change(this.#init.onLost);
  }

  #change(change: () => Promise<void>): void {
    this.#changes = this.#changes.then(change).catch((error: unknown) => {
      this.#components.logger.error({ error: errorText(error) }, 'leading failed');
      this.#stepDown('leading failed');
    });
  }
}
