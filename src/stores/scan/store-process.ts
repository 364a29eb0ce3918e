import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { errorCode } from '../../errors/coded-error.ts';

/** A program that looks at stores, in a process that may hang and be left behind. */
export type StoreProcess = ChildProcessByStdio<Writable, Readable, null>;

/**
 * @param name of a compiled file beside this one; where this runs from the sources, in the build folder
 * @param init `calls`: calls of the asynchronous kind that may hang at a time
 */
export function startStoreProcess(
  name: string,
  { args = [], calls = 4 }: { readonly args?: readonly string[]; readonly calls?: number } = {},
): StoreProcess {
  const folder = import.meta.url.endsWith('.ts') ? '../../../dist/stores/scan/' : './';
  const script = fileURLToPath(new URL(`${folder}${name}.js`, import.meta.url));
  // Never a folder of a store, and no setting of the parent's own Node.
  const env = { UV_THREADPOOL_SIZE: String(calls) };
  // And nothing of ours either: where it hangs and cannot be killed, it would keep a pipe of the parent's open.
  const child = spawn(process.execPath, [script, ...args], { cwd: '/', env, stdio: ['pipe', 'pipe', 'ignore'] });
  // Where it died or could not be started its output ends, and that is told.
  child.stdin.on('error', () => {});
  child.on('error', () => child.stdout.destroy());
  return child;
}

/** A process that hangs in a system call may outlive this; it no longer keeps ours alive. */
export function endStoreProcess(child: StoreProcess): void {
  child.kill('SIGKILL');
  child.stdin.destroy();
  child.stdout.destroy();
  child.unref();
}

/** Whole lines of its output, as they come; while the caller is busy the process waits for it. */
export async function* linesOf(child: StoreProcess): AsyncGenerator<string, void, void> {
  let rest = '';
  try {
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      const [first = '', ...others] = chunk.split('\n');
      rest += first;
      if (others.length === 0) continue;
      yield rest;
      rest = others.pop() ?? '';
      yield* others;
    }
  } catch (error) {
    // It was ended from here.
    if (errorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
