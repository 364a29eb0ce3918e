import type { WindowPostOutput } from '../rpc/window-post.ts';
import { decodeTask } from './window-post-task.ts';

/**
 * Says of each fault that has details which files were read, as the task names them: of several copies of a sector another one may be
 * good, and a slave may have them at a place of its own.
 */
export function nameCopies(body: Uint8Array, output: WindowPostOutput): WindowPostOutput {
  const { details } = output;
  if (details === undefined || details.length === 0) return output;
  const replicas = new Map(decodeTask(body).replicas.map((replica) => [replica.sector_id, replica]));
  return {
    ...output,
    details: details.map(({ sector_id, class: kind, reason }) => {
      const { sealed_file, cache_dir } = replicas.get(sector_id) ?? {};
      return { sector_id, class: kind, reason, sealed_file, cache_dir };
    }),
  };
}
