import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../clock/clock.ts';
import { CodedError, errorCode } from '../../errors/coded-error.ts';
import { SectorSet } from '../index/sector-set.ts';
import { foldersOf } from '../sector-files.ts';
import { globToRegExp } from './glob.ts';
import { ListedFolder, type ListedName, Listing } from './listing.ts';
import { LookThreads } from './look-threads.ts';
import { ITEM_FIELDS, type Listed, type ScanMessage, type ScanOrder } from './scan-messages.ts';
import type { StrangeEntry } from './scanned-sector.ts';

// Runs in scan processes only: every call may hang with its store.

const SECTORS_IN_JOB = 256;
const STRANGE_NAMED = 1_000;

/** One scan: lists the folders, gives the sectors to threads that look at them, and tells what they found. */
export class StoreScan {
  readonly #order: ScanOrder;
  readonly #clock: Clock;
  readonly #tell: (message: ScanMessage) => void;
  readonly #known = new Map<string, SectorSet>();
  readonly #strange: StrangeEntry[] = [];
  #strangeNamed = 0;
  #strangeCount = 0;
  #listed = 0;
  #looked = 0;
  #isListed = false;

  constructor(
    { clock, tell }: { readonly clock: Clock; readonly tell: (message: ScanMessage) => void },
    order: ScanOrder,
  ) {
    this.#order = order;
    this.#clock = clock;
    this.#tell = tell;
    for (const { minerId, upgraded, blocks } of order.known) {
      const known = new SectorSet();
      for (const [block, bits] of blocks) known.addBlock(block, Buffer.from(bits, 'base64'));
      this.#known.set(`${minerId}/${upgraded}`, known);
    }
  }

  /** @throws CodedError one of the codes of FailureCode */
  async run(): Promise<void> {
    const before = identify(this.#order.path);
    const threads = new LookThreads({
      clock: this.#clock,
      root: before.root,
      fileLimitMs: this.#order.fileLimitMs,
      onResult: ({ looks, sectors }) => {
        this.#looked += sectors;
        this.#tell({ looks, progress: this.#progress() });
      },
      onBusy: () => this.#tell({ progress: this.#progress() }),
    });
    const listing = new Listing({
      root: before.root,
      pattern: globToRegExp(this.#order.pattern),
      onStrange: (folder, name, reason) => this.#onStrange({ folder, name, reason }),
    });
    for (const upgraded of [false, true]) await this.#scanKind(listing, threads, upgraded);
    this.#tellStrange();
    this.#isListed = true;
    this.#tell({ progress: this.#progress() });
    await threads.idle();
    if (listing.entries === 0)
      throw new CodedError('store-empty', 'none of its folders holds anything; is it mounted?', {
        isMount: identify(dirname(before.root)).dev !== before.dev,
      });
    if (identify(this.#order.path).id !== before.id) {
      throw new CodedError('store-replaced', 'another file system or folder than before lies there now');
    }
  }

  async #scanKind(listing: Listing, threads: LookThreads, upgraded: boolean): Promise<void> {
    const { sealed: sealedFolder, cache: cacheFolder } = foldersOf(upgraded);
    const caches = new ListedFolder();
    for (const slice of listing.slices(cacheFolder, true)) {
      for (const listed of slice) caches.add(listed);
      this.#tell({ progress: this.#progress() });
    }
    let items: number[] = [];
    const jobs = async (
      { minerId, number }: ListedName,
      kinds: { readonly sealedIs: Listed; readonly cacheIs: Listed },
    ) => {
      if (this.#known.get(`${minerId}/${upgraded}`)?.has(number)) return;
      this.#listed++;
      items.push(minerId, number, kinds.sealedIs, kinds.cacheIs);
      if (items.length / ITEM_FIELDS >= this.#jobSize) await flush();
    };
    const flush = async () => {
      if (items.length === 0) return;
      const job = { upgraded, items };
      items = [];
      await this.#pace(job.items.length / ITEM_FIELDS);
      await threads.give(job);
    };
    for (const slice of listing.slices(sealedFolder, false)) {
      for (const listed of slice) {
        await jobs(listed, { sealedIs: listed.is, cacheIs: caches.take(listed.minerId, listed.number) });
      }
      this.#tellStrange();
      this.#tell({ progress: this.#progress() });
    }
    for (const listed of caches.rest()) await jobs(listed, { sealedIs: 0, cacheIs: listed.is });
    await flush();
  }

  get #jobSize(): number {
    return Math.min(SECTORS_IN_JOB, this.#order.sectorsPerSecond ?? SECTORS_IN_JOB);
  }

  async #pace(sectors: number): Promise<void> {
    const { sectorsPerSecond } = this.#order;
    if (sectorsPerSecond !== null) await this.#clock.sleep((sectors / sectorsPerSecond) * 1_000);
  }

  #onStrange(entry: StrangeEntry): void {
    this.#strangeCount++;
    if (this.#strangeNamed >= STRANGE_NAMED) return;
    this.#strangeNamed++;
    this.#strange.push(entry);
  }

  #tellStrange(): void {
    if (this.#strangeCount === 0) return;
    this.#tell({ strange: { strange: this.#strange.splice(0), strangeCount: this.#strangeCount } });
    this.#strangeCount = 0;
  }

  #progress() {
    return { listed: this.#listed, looked: this.#looked, isListed: this.#isListed };
  }
}

/** @throws CodedError `store-not-readable` */
function identify(path: string): { readonly root: string; readonly dev: number; readonly id: string } {
  try {
    const root = realpathSync.native(path);
    const found = statSync(root);
    if (found.isDirectory()) return { root, dev: found.dev, id: `${found.dev}:${found.ino}` };
  } catch (error) {
    throw new CodedError('store-not-readable', `it cannot be looked at (${errorCode(error) ?? 'unknown error'})`);
  }
  throw new CodedError('store-not-readable', 'it is not a folder');
}
