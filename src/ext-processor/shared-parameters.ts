import { join } from 'node:path';
import type { SectorSizeName } from '../filecoin/sector-size.ts';

/** Where the parameters of a size lie in shared memory: `gen_cache_and_param_blst` puts them there, slaves look for them. */
export function sharedParameters(size: SectorSizeName, root = '/dev/shm'): string {
  return join(root, 'filecoin-proof-parameters', size);
}
