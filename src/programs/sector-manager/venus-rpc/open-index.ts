import type { Clock } from '../../../clock/clock.ts';
import type { Database } from '../../../database/database.ts';
import { SectorIndex } from '../../../stores/index/sector-index.ts';
import type { SectorPlaces } from '../../../stores/indexed-places.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { IndexerClient } from './indexer-client.ts';
import { ProxiedIndex } from './proxied-index.ts';

/** Its first answer may take as long, and then each. */
const SILENCE_MS = 1_500;

/** Our index, or with `proxy` (`host:port`) the one of the manager there. Its token, where it wants one, is WDPOST_TOKEN. */
export function openIndex(
  components: { readonly clock: Clock; readonly logger: Logger; readonly db: Database },
  { proxy }: { readonly proxy: string | undefined },
): SectorPlaces {
  const own = new SectorIndex(components);
  if (proxy === undefined) return own;
  const token = process.env.WDPOST_TOKEN;
  const other = new IndexerClient(components, { address: proxy, token, silenceMs: SILENCE_MS });
  components.logger.info({ proxy }, 'sectors are looked up at another manager');
  return new ProxiedIndex(components, { other, own });
}
