import { textTable } from '../../../../cli/text-table.ts';
import type { Attached } from './attach-stores.ts';
import type { Difference } from './differences.ts';
import type { Imported } from './import-index.ts';
import type { TakenOver } from './take-over-files.ts';

export interface MigrateReport {
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
  readonly files: readonly TakenOver[];
  /** Of reading the old files. */
  readonly warnings: readonly string[];
  readonly differences: readonly Difference[];
  /** Scanned ones, or with `dryRun` those that would be. */
  readonly stores: readonly (Pick<Attached, 'name' | 'path'> & Partial<Attached>)[];
  readonly imported: readonly Imported[];
}

const NEXT = [
  'stop the old manager, master and slaves: two that post for one miner pay twice',
  'sector-manager util config check',
  'start the manager with the flags that the old one had, and wdpost-slave-daemon on every GPU host',
];

export function reportText(report: MigrateReport): string {
  const { from, to, dryRun, files, warnings, stores, imported } = report;
  const would = dryRun ? ' (dry run: nothing was written)' : '';
  const parts = [
    [`from ${from} to ${to}${would}`, ...files.map(({ name, is }) => `  ${name}: ${is}`)],
    ['what differs', ...report.differences.map(({ what, todo }) => `  ${what}\n    to do: ${todo}`)],
    ...(warnings.length > 0 ? [['what is ignored', ...warnings.map((warning) => `  ${warning}`)]] : []),
    [
      dryRun ? 'stores that would be scanned' : 'stores',
      textTable(
        ['name', 'path', ...(dryRun ? [] : ['in the index', 'left out', ''])],
        stores.map(({ name, path, ok = 0, leftOut = 0, trouble }) => [
          name,
          path,
          ...(dryRun ? [] : [ok, leftOut, trouble ?? '']),
        ]),
      ),
    ],
    ...(imported.length > 0 ? [['imported from the old index', ...imported.map(importedText)]] : []),
    ['next', ...NEXT.map((step, index) => `  ${index + 1}. ${step}`)],
  ];
  return parts.map((lines) => lines.join('\n')).join('\n\n');
}

function importedText({ minerId, sectors, found, unknownStores }: Imported): string {
  const unknown = Object.entries(unknownStores).map(([store, count]) => `${count} in ${store}`);
  const left = unknown.length === 0 ? '' : `; left out, since no such store is configured: ${unknown.join(', ')}`;
  return `  t0${minerId}: ${found} of its ${sectors} sectors${left}`;
}
