import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Probe } from './check-messages.ts';
import type { Expectation } from './expectation.ts';
import type { PersistStore } from './persist-store.ts';
import { StoreIdentity } from './store-identity.ts';
import { StoreWatch } from './store-watch.ts';

interface Components {
  readonly clock: Clock;
  readonly logger: Logger;
}

interface StorePlaceInit {
  readonly store: PersistStore;
  /** As of StoreWatch; so long also lies between looks, and a store that hangs is known after two and a half times as long. */
  readonly timeoutMs: number;
  /** Another store whose folder is this one, by device and inode. */
  readonly twin: (root: string) => PersistStore | undefined;
  /** It was looked at. */
  readonly onLook: () => void;
}

/** One store: who asks it, what it is known by, and whether it can be trusted. */
export class StorePlace {
  readonly watch: StoreWatch;
  readonly identity = new StoreIdentity();
  /** Its name and path never change. */
  store: PersistStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #beatMs: number;
  readonly #twin: (root: string) => PersistStore | undefined;
  readonly #onLook: () => void;
  #trouble: string | undefined;
  #root: string | undefined;
  #answerMs: number | undefined;
  #isClosed = false;
  #isKept = false;
  #isBeating = false;
  #callOffBeat = () => {};

  constructor(components: Components, { store, timeoutMs, twin, onLook }: StorePlaceInit) {
    this.store = store;
    this.#clock = components.clock;
    this.#logger = components.logger.child({ store: store.name });
    this.#beatMs = timeoutMs;
    this.#twin = twin;
    this.#onLook = onLook;
    this.watch = new StoreWatch(components, { store, timeoutMs, onChange: () => this.#isKept && void this.#beat() });
  }

  /** Why what is not there does not count; undefined while it can be trusted, or nobody looked yet. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Device and inode of its folder at the last look; undefined where it could not be used. */
  get root(): string | undefined {
    return this.#root;
  }

  /** Milliseconds that the last look took; undefined where it was not answered. */
  get answerMs(): number | undefined {
    return this.#answerMs;
  }

  /** Looks at the store from now on, whether anything is asked of it or not. */
  keepLooking(): void {
    this.#isKept = true;
    void this.#beat();
  }

  async probe(): Promise<Probe> {
    const began = this.#clock.monotonic();
    const probe = await this.watch.probe(this.identity.canaries);
    this.#answerMs = probe.trouble === undefined ? this.#clock.monotonic() - began : undefined;
    this.#root = probe.root;
    return probe;
  }

  /** What the store is, between a probe made before and one made now. */
  async troubleSince(before: Probe): Promise<string | undefined> {
    const trouble = this.#troubleBetween(before, await this.probe());
    this.#tell(trouble);
    return trouble;
  }

  /** As `troubleSince`, were it known by these and nothing else. Changes nothing. */
  async troubleBy(expectation: Expectation): Promise<string | undefined> {
    const identity = new StoreIdentity();
    identity.expect(expectation);
    const probe = await this.watch.probe(identity.canaries);
    return this.#troubleBetween(probe, probe, identity);
  }

  close(): void {
    this.#isClosed = true;
    this.#callOffBeat();
    this.watch.close();
  }

  async #beat(): Promise<void> {
    if (this.#isBeating || this.#isClosed) return;
    this.#isBeating = true;
    this.#callOffBeat();
    const probe = await this.probe();
    this.#isBeating = false;
    if (this.#isClosed) return;
    this.#tell(this.#troubleBetween(probe, probe));
    this.#callOffBeat = this.#clock.after(this.#beatMs, () => void this.#beat());
  }

  #troubleBetween(before: Probe, after: Probe, identity = this.identity): string | undefined {
    const twin = after.root === undefined ? undefined : this.#twin(after.root);
    if (twin === undefined) return identity.trouble(before, after);
    return `it is the same folder as the store ${twin.name} at ${twin.path}: one of them is not mounted, or configured twice`;
  }

  #tell(trouble: string | undefined): void {
    if (this.#isClosed) return;
    if (trouble !== this.#trouble) {
      if (trouble === undefined) this.#logger.info('store is usable again');
      else this.#logger.warn({ trouble }, 'store cannot be trusted');
    }
    this.#trouble = trouble;
    this.#onLook();
  }
}
