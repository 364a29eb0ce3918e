import { readdirSync } from 'node:fs';
import { sharedParameters } from '../../ext-processor/shared-parameters.ts';
import { formatSectorSize } from '../../filecoin/sector-size.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { checkEnvironment, variables } from './environment.ts';
import { forcedSectorSize } from './identity.ts';

/**
 * The environment of a slave and its provers: what libraries would not understand is brought into their words.
 * @throws CodedError `bad-environment`
 */
export function proverEnvironment(
  components: { readonly logger: Logger },
  env: NodeJS.ProcessEnv,
  init: { readonly sharedMemory?: string } = {},
): NodeJS.ProcessEnv {
  checkEnvironment(env);
  const set = withoutEmpty(env);
  return { ...set, ...chosenGpus(components, set), ...stagedParameters(components, set, init.sharedMemory) };
}

/** To libraries an empty variable may say something: that all GPUs are hidden, or a sector size that is none. */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = new Set(variables.map(({ name }) => name));
  return Object.fromEntries(Object.entries(env).filter(([name, text]) => text !== '' || !names.has(name)));
}

function chosenGpus({ logger }: { readonly logger: Logger }, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { CUDA_VISIBLE_DEVICES: visible, BELLMAN_GPU_INDEXS: indexes, BELLMAN_NO_GPU: noGpu } = env;
  const first = (visible ?? indexes)?.split(',')[0]?.trim();
  if ((first === '-1' || first === 'NoDevFiles') && noGpu !== '1')
    logger.warn({ gpus: visible ?? indexes }, 'all GPUs are hidden from the provers: proofs are made on the CPU');
  if (!indexes) return {};
  if (visible === undefined) return { CUDA_VISIBLE_DEVICES: indexes };
  if (visible !== indexes)
    logger.warn({ visible, indexes }, 'BELLMAN_GPU_INDEXS differs from CUDA_VISIBLE_DEVICES, which counts');
  return {};
}

function stagedParameters(
  { logger }: { readonly logger: Logger },
  env: NodeJS.ProcessEnv,
  sharedMemory: string | undefined,
): NodeJS.ProcessEnv {
  if (env.BELLMAN_LOAD_SHM !== '1') return {};
  const bytes = forcedSectorSize(env);
  const directory = bytes === null ? undefined : sharedParameters(formatSectorSize(bytes), sharedMemory);
  if (directory !== undefined && holdsParameters(directory)) {
    logger.info({ directory }, 'parameters are read from shared memory');
    return { FIL_PROOFS_PARAMETER_CACHE: directory };
  }
  logger.info(
    'no parameters of this size in shared memory: the page cache holds one copy for all provers of this host',
  );
  return {};
}

/** The `.params` file is put there last. */
function holdsParameters(directory: string): boolean {
  try {
    return readdirSync(directory).some((name) => name.endsWith('.params'));
  } catch {
    return false;
  }
}
