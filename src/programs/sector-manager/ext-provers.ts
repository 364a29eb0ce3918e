import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ExtProverConfig, loadExtProverConfig } from '../../config/ext-prover-file.ts';
import { proverBinary } from '../../ext-processor/prover-binary.ts';
import type { PoolChildInit } from '../../ext-processor/prover-pool.ts';
import type { MasterChildInit } from './master-child.ts';
import { isOwnProgram } from './own-program.ts';

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
  /** The file of the master that they are, ours or not. */
  readonly masterFile: string | undefined;
}

const MASTER = 'wdpost-master-daemon';
const FOREIGN =
  'is not the master of this system: it is started as a child that is spoken to in lines, with a database and slaves of its own; ' +
  'to have this system prove, name /usr/local/bin/wdpost-master-daemon';
/** Of this installation's prover, which may read all parameters first. */
const OWN_READY_LIMIT_MS = 600_000;

/** What ext-prover.cfg of a manager says; none where there is no file. */
export async function readExtProvers(confDir: string): Promise<ExtProvers> {
  const file = join(confDir, 'ext-prover.cfg');
  if (!existsSync(file))
    return { file, warnings: [], provers: [], winning: [], master: undefined, masterFile: undefined };
  const { config, warnings } = await loadExtProverConfig(file);
  const { wdPost: provers, winPost: winning } = config;
  const ignored = provers.filter(({ bin, args }) => bin === undefined && args.length > 0);
  const foreign = await foreignMaster(provers);
  const master = provers.every((prover) => masterFileOf(prover) !== undefined) ? masterOf(provers[0]) : undefined;
  return {
    file,
    warnings: [
      ...warnings,
      ...ignored.map(() => `${file}: [[WdPost]] Args is ignored where Bin is not set`),
      ...(foreign === undefined ? [] : [`${file}: [[WdPost]] Bin ${foreign} ${FOREIGN}`]),
    ],
    provers,
    winning,
    master: foreign === undefined ? master : undefined,
    masterFile: master?.file,
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

/** The first that is named like our master and is not. */
async function foreignMaster(provers: readonly ExtProver[]): Promise<string | undefined> {
  for (const { bin, envs } of provers) {
    if (bin === undefined || basename(bin) !== MASTER) continue;
    if (!(await isOwnProgram(bin, envs.PATH ?? process.env.PATH))) return bin;
  }
  return undefined;
}
