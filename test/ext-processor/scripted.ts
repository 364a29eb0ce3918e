import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ProverProcessInit } from '../../src/ext-processor/prover-process.ts';

const script = fileURLToPath(new URL('scripted-child.mjs', import.meta.url));
export const READY = 'window_post processor ready\n';

/** How to start test/ext-processor/scripted-child.mjs. */
export function scripted(
  begin: {
    readonly first?: string;
    readonly stderr?: string;
    readonly exit?: number;
    readonly grandchild?: boolean;
  } = {
    first: READY,
  },
): ProverProcessInit {
  const args = [script, JSON.stringify(begin)];
  return { bin: process.execPath, args, stage: 'window_post', readyTimeoutMs: 10_000 };
}

/** A task that makes the child write these texts, each in a write of its own. */
export function saying(...texts: readonly (string | Buffer)[]): { readonly chunks: readonly string[] } {
  return { chunks: texts.map((text) => Buffer.from(text).toString('base64')) };
}

/** The answer line to the present request. */
export function answering(output: unknown): string {
  return `${JSON.stringify({ id: '$ID', err_msg: null, output }).replace('"$ID"', '$ID')}\n`;
}

/** A zombie whose parent does not collect it is not alive. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
