import { CodedError } from '../../errors/coded-error.ts';
import { formatSectorSize, parseSectorSize } from '../../filecoin/sector-size.ts';
import { MAX_NAME_LENGTH } from '../../rpc/methods.ts';

/**
 * The name that people read in `tasks.slave`: of the configuration, else host and GPU, which stay over restarts. Two slaves of a
 * host may run without CUDA_VISIBLE_DEVICES, and names must differ, so the process id stands in for it.
 */
export function slaveName(init: {
  readonly configured: string | undefined;
  readonly host: string;
  readonly pid: number;
  readonly env: NodeJS.ProcessEnv;
}): string {
  if (init.configured !== undefined) return init.configured.slice(0, MAX_NAME_LENGTH);
  const gpu = init.env.CUDA_VISIBLE_DEVICES;
  const suffix = (gpu ? `-gpu${gpu}` : `-${init.pid}`).slice(0, MAX_NAME_LENGTH / 2);
  return `${init.host.slice(0, MAX_NAME_LENGTH - suffix.length)}${suffix}`;
}

/**
 * FORCE_SECTOR_SIZE, in bytes or as a name (`32GiB`); null where unset: any size.
 * @throws CodedError `bad-sector-size`
 */
export function forcedSectorSize(env: NodeJS.ProcessEnv): number | null {
  const text = env.FORCE_SECTOR_SIZE;
  if (!text) return null;
  try {
    return parseSectorSize(/^\d+$/.test(text) ? formatSectorSize(Number(text)) : text);
  } catch (cause) {
    throw new CodedError('bad-sector-size', 'FORCE_SECTOR_SIZE', { cause });
  }
}
