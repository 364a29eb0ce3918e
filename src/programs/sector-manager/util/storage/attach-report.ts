import { readableDuration } from '../../../../cli/readable.ts';
import type { AttachReport } from '../../../../stores/index/attach-store.ts';
import type { Verdict } from '../../../../stores/index/found-sectors.ts';
import { labelled } from '../labelled.ts';

export interface LeftOut {
  readonly name: string;
  readonly verdict: Verdict | 'notASector';
  readonly reason: string;
}

export function attachJson(report: AttachReport, store: { readonly name: string; readonly path: string }) {
  const { counts, strange, duplicates, added, pruned, tookMs } = report;
  return {
    name: store.name,
    path: store.path,
    ...counts,
    notASector: strange,
    duplicateElsewhere: duplicates,
    added,
    pruned,
    tookMs: Math.round(tookMs),
  };
}

/** A line for each reason; those that did not occur are left out, `ok` apart. */
export function attachText(
  report: AttachReport,
  init: { readonly dryRun: boolean; readonly verbose: boolean },
): string {
  const { counts, strange, duplicates, added, pruned, tookMs } = report;
  const some = (count: number, text = '') => (count === 0 ? null : `${count.toLocaleString('en')}${text}`);
  const others = counts.sizeWrong + counts.cacheFileMissing + counts.sealedFileMissing + counts.unreadable + strange;
  const lines = labelled([
    ['ok', `${counts.ok.toLocaleString('en')}, ${added.toLocaleString('en')} of them new`],
    ['duplicate elsewhere', some(duplicates, ' of those that are ok are in other stores, too')],
    ['size wrong', some(counts.sizeWrong, ' (or not a plain file or folder of this store)')],
    ['cache file missing', some(counts.cacheFileMissing)],
    ['sealed file missing', some(counts.sealedFileMissing, ' (only a cache folder)')],
    ['unreadable', some(counts.unreadable)],
    ['other miner', some(counts.otherMiner, ' (not in sector-manager.cfg, or kept out of the store)')],
    ['not a sector', some(strange, ' names')],
    ['pruned', some(pruned, ' were gone')],
    ['time', readableDuration(tookMs)],
  ]);
  return [
    lines,
    ...(others > 0 && !init.verbose ? ['--verbose names those that were left out'] : []),
    ...(report.isEmpty
      ? [
          'nothing is in it yet; from now on it counts as a store that is known. Is it mounted? If not: storage detach it',
        ]
      : []),
    ...(init.dryRun ? ['nothing was written: --dry-run'] : []),
  ].join('\n');
}
