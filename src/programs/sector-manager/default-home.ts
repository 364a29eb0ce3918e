import { join } from 'node:path';

const OURS = '.venus-sector-manager';
const NEWER = '.damocles-manager';

/**
 * The home folder where --home names none, as the versions of the system this one replaces choose it: the variable of any of them, else
 * their folder; the newer one's only where the older one's is not there.
 */
export function defaultHome(init: {
  readonly env: NodeJS.ProcessEnv;
  readonly userHome: string;
  readonly exists: (path: string) => boolean;
}): string {
  const { VENUS_SECTOR_MANAGER_PATH, VSM_PATH, DAMOCLES_PATH } = init.env;
  const named = VENUS_SECTOR_MANAGER_PATH || VSM_PATH || DAMOCLES_PATH;
  if (named) return named;
  const [ours, newer] = [join(init.userHome, OURS), join(init.userHome, NEWER)];
  return !init.exists(ours) && init.exists(newer) ? newer : ours;
}
