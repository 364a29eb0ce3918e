import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ExtProverConfig, loadExtProverConfig } from '../../config/ext-prover-file.ts';
import { proverBinary } from '../../ext-processor/prover-binary.ts';
import type { PoolChildInit } from '../../ext-processor/prover-pool.ts';
import type { MasterChildInit } from './master-child.ts';

type ExtProver = ExtProverConfig['wdPost'][number];

export interface ExtProvers {
  readonly file: string;
  readonly warnings: readonly string[];
  /** Each [[WdPost]]. */
  readonly provers: readonly ExtProver[];
  /** Each [[WinPost]]. */
  readonly winning: readonly ExtProver[];
  /** The master that they are, where all are masters of ours; several are one with one file. */
  readonly master: { readonly file: string; readonly child: MasterChildInit } | undefined;
}

const MASTER = 'wdpost-master-daemon';
const FOREIGN =
  'is not the master of this system: it proves as a child that is spoken to in lines, with its own database and slaves; ' +
  'name /usr/local/bin/wdpost-master-daemon to use the new ones';
const ELF = Buffer.from('\x7fELF', 'latin1');
/** Of this installation's prover, which may read all parameters first. */
const OWN_READY_LIMIT_MS = 600_000;

/** What ext-prover.cfg of a manager says; none where there is no file. */
export async function readExtProvers(confDir: string): Promise<ExtProvers> {
  const file = join(confDir, 'ext-prover.cfg');
  if (!existsSync(file)) return { file, warnings: [], provers: [], winning: [], master: undefined };
  const { config, warnings } = await loadExtProverConfig(file);
  const { wdPost: provers, winPost: winning } = config;
  const ignored = provers.filter(({ bin, args }) => bin === undefined && args.length > 0);
  const foreign = await foreignMaster(provers);
  return {
    file,
    warnings: [
      ...warnings,
      ...ignored.map(() => `${file}: [[WdPost]] Args is ignored where Bin is not set`),
      ...(foreign === undefined ? [] : [`${file}: [[WdPost]] Bin ${foreign} ${FOREIGN}`]),
    ],
    provers,
    winning,
    master:
      foreign === undefined && provers.every((prover) => masterFileOf(prover) !== undefined)
        ? masterOf(provers[0])
        : undefined,
  };
}

/** A [[WdPost]] that is spoken to in lines. */
export function poolChild(prover: ExtProver): PoolChildInit {
  return childOf(prover, 'window_post');
}

/** The same for a [[WinPost]]. */
export function winningChild(prover: ExtProver): PoolChildInit {
  return childOf(prover, 'winning_post');
}

function childOf({ bin, args, envs, concurrent, weight, readyTimeoutMs }: ExtProver, stage: string): PoolChildInit {
  const common = { env: { ...process.env, ...envs }, concurrent, weight };
  if (bin !== undefined) return { ...common, bin, args, readyTimeoutMs };
  return {
    ...common,
    bin: proverBinary(),
    args: ['processor', stage],
    readyTimeoutMs: Math.max(readyTimeoutMs, OWN_READY_LIMIT_MS),
  };
}

function masterOf(prover: ExtProver | undefined): ExtProvers['master'] {
  const file = prover && masterFileOf(prover);
  if (prover?.bin === undefined || file === undefined) return undefined;
  const env = { ...process.env, ...prover.envs };
  return { file, child: { bin: prover.bin, args: prover.args, env } };
}

/** The value of `-c FILE` or `-c=FILE` of a master of ours. */
function masterFileOf({ bin, args }: ExtProver): string | undefined {
  if (bin === undefined || basename(bin) !== MASTER) return undefined;
  const at = args.findIndex((arg) => arg === '-c' || arg.startsWith('-c='));
  return at < 0 ? undefined : args[at] === '-c' ? args[at + 1] : args[at]?.slice(3);
}

/** The first named like our master that is a compiled program, as the one of old is; ours is a script. */
async function foreignMaster(provers: readonly ExtProver[]): Promise<string | undefined> {
  for (const { bin } of provers) {
    if (bin !== undefined && basename(bin) === MASTER && (await isCompiled(bin))) return bin;
  }
  return undefined;
}

async function isCompiled(path: string): Promise<boolean> {
  // Whoever starts it says what is wrong with it.
  const file = await open(path).catch(() => undefined);
  try {
    const head = await file?.read(Buffer.alloc(ELF.length), 0, ELF.length, 0);
    return head?.buffer.equals(ELF) === true;
  } catch {
    return false;
  } finally {
    await file?.close();
  }
}
