import { storeRoot } from './store-roots.ts';
import { MAX_PATH_LENGTH, SEED_MASK } from './window-post-task.ts';

/** What a canonical text says, without its comm_r's and its seed. */
export interface ScannedTask {
  readonly minerId: number;
  readonly proofType: string;
  readonly sectorCount: number;
  /** Of all cache_dir's and sealed_file's; undefined among them: files that are laid out in another way. */
  readonly roots: ReadonlySet<string | undefined>;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
/** Whatever has fewer digits is a safe integer. */
const MAX_DIGITS = 15;
const HASH_BYTES = 32;

const HEAD = Buffer.from('{"miner_id":');
const PROOF_TYPE = Buffer.from(',"proof_type":');
const REPLICAS = Buffer.from(',"replicas":[');
const SECTOR = Buffer.from('{"sector_id":');
const COMM_R = Buffer.from(',"comm_r":');
const CACHE_DIR = Buffer.from(',"cache_dir":');
const SEALED_FILE = Buffer.from(',"sealed_file":');
const REPLICA_END = Buffer.from('}');
const SEED = Buffer.from('],"seed":');
const END = Buffer.from('}');

/**
 * Reads a text that is just what `canonicalTask` makes, byte by byte and in one pass: a full partition takes a tenth of what
 * JSON.parse, the checks and making the text anew take. Undefined for every other text, and for paths that are not plain ASCII:
 * whoever asked parses those.
 */
export function scanCanonicalTask(text: Uint8Array): ScannedTask | undefined {
  const scan = new Scanner(text);
  if (!scan.skip(HEAD)) return undefined;
  const minerId = scan.integer();
  if (!scan.skip(PROOF_TYPE)) return undefined;
  const proofType = scan.string();
  if (!scan.skip(REPLICAS)) return undefined;
  const caches = new PathRoots(text);
  const files = new PathRoots(text);
  let sectorCount = 0;
  let last = -1;
  do {
    if (!scan.skip(SECTOR)) return undefined;
    const sector = scan.integer();
    if (!(sector > last) || !scan.skip(COMM_R) || !scan.hash(0xff) || !scan.skip(CACHE_DIR)) return undefined;
    if (!scan.path(caches) || !scan.skip(SEALED_FILE) || !scan.path(files) || !scan.skip(REPLICA_END)) return undefined;
    last = sector;
    sectorCount++;
  } while (scan.take(COMMA));
  if (!scan.skip(SEED) || !scan.hash(SEED_MASK) || !scan.skip(END) || !scan.isAtEnd) return undefined;
  if (!(minerId >= 0) || proofType === undefined) return undefined;
  return { minerId, proofType, sectorCount, roots: new Set([...caches.roots, ...files.roots]) };
}

class Scanner {
  readonly #text: Uint8Array;
  #at = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  take(byte: number): boolean {
    if (this.#text[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  skip(bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i++) if (this.#text[this.#at + i] !== bytes[i]) return false;
    this.#at += bytes.length;
    return true;
  }

  /** NaN where there is none, or it is not written as JSON.stringify does. */
  integer(): number {
    const from = this.#at;
    const value = this.#digits();
    const length = this.#at - from;
    if (length === 0 || length > MAX_DIGITS || (length > 1 && this.#text[from] === ZERO)) return Number.NaN;
    return value;
  }

  /** 32 bytes in brackets, the last one at most `lastMask`. */
  hash(lastMask: number): boolean {
    if (!this.take(OPEN)) return false;
    for (let i = 0; i < HASH_BYTES; i++) {
      if (i > 0 && !this.take(COMMA)) return false;
      const limit = i === HASH_BYTES - 1 ? lastMask : 0xff;
      if (!(this.integer() <= limit)) return false;
    }
    return this.take(CLOSE);
  }

  string(): string | undefined {
    const from = this.#at + 1;
    return this.#skipString() ? Buffer.from(this.#text.subarray(from, this.#at - 1)).toString('latin1') : undefined;
  }

  /** A string that is not empty, nor too long. */
  path(roots: PathRoots): boolean {
    const from = this.#at + 1;
    if (!this.#skipString()) return false;
    const length = this.#at - 1 - from;
    if (length === 0 || length > MAX_PATH_LENGTH) return false;
    roots.add(from, this.#at - 1);
    return true;
  }

  #digits(): number {
    let value = 0;
    for (;;) {
      const digit = (this.#text[this.#at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) return value;
      value = value * 10 + digit;
      this.#at++;
    }
  }

  /** Of printable ASCII without escapes. */
  #skipString(): boolean {
    if (!this.take(QUOTE)) return false;
    for (;;) {
      const byte = this.#text[this.#at++] ?? 0;
      if (byte === QUOTE) return true;
      if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return false;
    }
  }
}

/** The roots of paths, one after the other; nearly all are alike up to the sector's number. */
class PathRoots {
  readonly roots = new Set<string | undefined>();
  readonly #text: Uint8Array;
  /** The last path whose root was looked for, up to its last hyphen. */
  #likeFrom = 0;
  #likeLength = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  add(from: number, to: number): void {
    if (this.#isAlike(from, to)) return;
    const path = Buffer.from(this.#text.subarray(from, to)).toString('latin1');
    this.roots.add(storeRoot(path));
    this.#likeFrom = from;
    this.#likeLength = path.lastIndexOf('-') + 1;
  }

  /** The same text up to the last hyphen, and digits from there on: the root is the same, or there is none either. */
  #isAlike(from: number, to: number): boolean {
    const length = this.#likeLength;
    if (length === 0 || to - from <= length) return false;
    for (let i = 0; i < length; i++) if (this.#text[from + i] !== this.#text[this.#likeFrom + i]) return false;
    for (let at = from + length; at < to; at++) {
      const digit = (this.#text[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) return false;
    }
    return true;
  }
}
