import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { expect } from 'vitest';

/** A file system that really hangs: bindfs, stopped. Needs root and /dev/fuse, so it runs where these are. */
export const canMount =
  process.getuid?.() === 0 &&
  spawnSync('bindfs', ['--version']).status === 0 &&
  spawnSync('test', ['-c', '/dev/fuse']).status === 0;

/** `source`, seen at `path` too, as from a server that may stop to answer. */
export class Mount {
  readonly #source: string;
  readonly #path: string;
  #bindfs: ChildProcess | undefined;

  constructor(source: string, path: string) {
    this.#source = source;
    this.#path = path;
  }

  async mount(): Promise<void> {
    const before = (await stat(this.#path)).dev;
    // Without these the kernel answers for a second from its own memory.
    const options = 'attr_timeout=0,entry_timeout=0,negative_timeout=0';
    this.#bindfs = spawn('bindfs', ['-f', '-o', options, this.#source, this.#path], { stdio: 'ignore' });
    await expect.poll(async () => (await stat(this.#path)).dev, { timeout: 10_000 }).not.toBe(before);
  }

  hang(): void {
    this.#bindfs?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#bindfs?.kill('SIGCONT');
  }

  /** What lies below the mount point is seen again. */
  unmount(): void {
    execFileSync('umount', ['-l', this.#path]);
  }

  end(): void {
    this.#bindfs?.kill('SIGKILL');
    spawnSync('umount', ['-l', this.#path]);
  }
}
