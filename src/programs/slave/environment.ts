import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { CodedError, errorText } from '../../errors/coded-error.ts';
import { forcedSectorSize } from './identity.ts';

/** An environment variable that a slave or its provers go by. */
export interface Variable {
  readonly name: string;
  /** What may be written; reads on from "write ". */
  readonly accepts: string;
  readonly about: string;
  /** Whether a value that is not empty may stand. Absent: checked elsewhere, or anything may. */
  readonly isGood?: (text: string) => boolean;
}

const isCount = (text: string): boolean => /^[1-9]\d{0,8}$/.test(text);
const isSwitch = (text: string): boolean => ['0', '1'].includes(text);

/** CUDA leaves out a name that it does not know and all that follow it, and the proof is then made on the CPU without a word. */
function isGpuList(text: string): boolean {
  return text.split(',').every((gpu) => /^(\d+|-1|NoDevFiles|(GPU|MIG)-[\w/-]+)$/.test(gpu.trim()));
}

function isDirectory(path: string): boolean {
  try {
    return isAbsolute(path) && statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return isDirectory(path);
  } catch {
    return false;
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

export const variables: readonly Variable[] = [
  {
    name: 'FORCE_SECTOR_SIZE',
    accepts: '34359738368, 68719476736 or another sector size in bytes, or its name such as 32GiB',
    about:
      'The slave gets tasks of this sector size only, and its provers look only for the parameters of this size. Without it any size whose parameters are there',
    isGood: (text) => forcedSectorSize({ FORCE_SECTOR_SIZE: text }) !== null,
  },
  {
    name: 'CUDA_VISIBLE_DEVICES',
    accepts: 'the number of a GPU, its GPU-… or MIG-… id, or a list of them with commas',
    about:
      'The GPUs that the provers see. Part of the slave’s name where slave.toml gives none. -1 hides all of them, which is a warning: proofs are then made on the CPU',
    isGood: isGpuList,
  },
  {
    name: 'BELLMAN_GPU_INDEXS',
    accepts: 'as CUDA_VISIBLE_DEVICES',
    about:
      'Counts where CUDA_VISIBLE_DEVICES is not set. Where both are, CUDA_VISIBLE_DEVICES decides, and a difference is a warning',
    isGood: isGpuList,
  },
  {
    name: 'BELLMAN_LOAD_SHM',
    accepts: '1 or 0',
    about:
      'With 1, and FORCE_SECTOR_SIZE, the provers read the parameters from /dev/shm, if `gen_cache_and_param_blst wdpost-param --shm` has put them there. Without such a copy they are shared all the same: all provers of a host map one file, and the page cache holds it once for all of them',
    isGood: isSwitch,
  },
  {
    name: 'FIL_PROOFS_PARAMETER_CACHE',
    accepts: 'the absolute path of a directory that exists',
    about: 'Where the parameters are; by default /var/tmp/filecoin-proof-parameters',
    isGood: isDirectory,
  },
  {
    name: 'TMPDIR',
    accepts: 'the absolute path of a directory that may be written to',
    about:
      'Each proving slot gets a directory of its own in it, with the lock files of its GPU; by default /tmp. No sector data is written there',
    isGood: isWritable,
  },
  {
    name: 'WDPOST_LOCK_DIR',
    accepts: 'an absolute path',
    about:
      'Where the provers of all slaves of a host queue for its memory: the same for all; by default /run/lock/wdpost, else /tmp/wdpost',
    isGood: isAbsolute,
  },
  {
    name: 'WDPOST_PROVER',
    accepts: 'the path of a window-post-prover that may be executed',
    about: 'The prover to start instead of the one that was installed with the slave, for instance one built for CUDA',
    isGood: isProgram,
  },
  {
    name: 'WDPOST_TOKEN',
    accepts: 'a token of the master with scope slave',
    about: 'Counts before `token_file`. The provers do not get it',
  },
  {
    name: 'RUST_LOG',
    accepts: 'a level (trace, debug, info, warn, error, off) or directives such as wdpost=debug,info',
    about: 'How much the slave logs, and its provers. LOG_LEVEL (one level) counts before it for the slave alone',
  },
  {
    name: 'LOG_FORMAT',
    accepts: 'json or pretty',
    about: 'JSON lines or readable ones; by default readable on a terminal and JSON elsewhere',
  },
  {
    name: 'BELLMAN_NO_GPU',
    accepts: '1 or 0',
    about: 'With 1 a prover that was built for GPUs proves on the CPU',
    isGood: isSwitch,
  },
  {
    name: 'EC_GPU_FRAMEWORK',
    accepts: 'cuda or opencl',
    about: 'Which of the two, where the prover was built for both',
    isGood: (text) => ['cuda', 'opencl'].includes(text),
  },
  {
    name: 'BELLPERSON_GPUS_PER_LOCK',
    accepts: 'a number from 0',
    about: 'Not needed: TMPDIR keeps the locks of the slots apart',
    isGood: (text) => text === '0' || isCount(text),
  },
  {
    name: 'BELLMAN_CPU_UTILIZATION',
    accepts: 'a number from 0 to 1',
    about: 'Share of the multi-exponentiation that the CPU does beside the GPU',
    isGood: (text) => /^(0(\.\d+)?|1(\.0+)?)$/.test(text),
  },
  {
    name: 'RAYON_NUM_THREADS',
    accepts: 'a count from 1',
    about: 'Threads of a proof on the CPU; by default one for each core',
    isGood: isCount,
  },
  {
    name: 'FIL_PROOFS_WINDOW_POST_SYNTHESIS_NUM_CPUS',
    accepts: 'a count from 1',
    about: 'Threads that build the circuit; by default one for each core',
    isGood: isCount,
  },
  {
    name: 'FIL_PROOFS_VERIFY_PRODUCTION_PARAMS',
    accepts: '1, 0, true or false',
    about: 'Set by itself where only 32GiB or 64GiB can be meant',
    isGood: (text) => ['0', '1', 'true', 'false'].includes(text),
  },
];

/**
 * Refuses what would be ignored or misread by a library later on. A variable that is empty counts as not set.
 * @throws CodedError `bad-environment`
 */
export function checkEnvironment(env: NodeJS.ProcessEnv): void {
  for (const { name, accepts, isGood } of variables) {
    const text = env[name];
    if (!text || isGood === undefined) continue;
    let detail = '';
    try {
      if (isGood(text)) continue;
    } catch (error) {
      detail = ` (${errorText(error)})`;
    }
    throw new CodedError('bad-environment', `${name}=${text}: write ${accepts}${detail}`, { variable: name });
  }
}
