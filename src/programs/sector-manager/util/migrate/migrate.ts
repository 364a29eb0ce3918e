import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { untilSignal } from '../../../../cli/until-signal.ts';
import type { Loaded } from '../../../../config/load-file.ts';
import { loadManagerConfig, type ManagerConfig } from '../../../../config/manager-file.ts';
import { loadMasterConfig, type MasterConfig } from '../../../../config/master-file.ts';
import { migrate as makeTables } from '../../../../database/migrate.ts';
import { CodedError } from '../../../../errors/coded-error.ts';
import { SectorIndex } from '../../../../stores/index/sector-index.ts';
import { configuredStores } from '../../../../stores/scan/configured-stores.ts';
import { readExtProvers } from '../../ext-provers.ts';
import { isSet, usage } from '../proving/usage.ts';
import { ScanMeter } from '../storage/scan-meter.ts';
import type { Answer, Verb, Written } from '../verb.ts';
import { attachStores } from './attach-stores.ts';
import { differences } from './differences.ts';
import { type Imported, importIndex } from './import-index.ts';
import { type MigrateReport, reportText } from './report-text.ts';
import { takeOverFiles } from './take-over-files.ts';

/** Sectors between two lines of an import that nobody watches. */
const IMPORT_STEP = 10_000;

export const migrate: Verb = {
  name: 'migrate',
  about:
    'move from a venus-cluster or damocles manager: take over its files, say what differs, scan its stores, and import the sector index ' +
    'of a running one. Exits with 1 where a store could not be scanned',
  options: [
    { flags: '--from <home>', about: 'home folder of the old manager' },
    { flags: '--import-index <address>', about: 'where the old manager listens, while it runs: http://old:1789' },
    { flags: '--dry-run', about: 'say what would be done: copy, scan and write nothing' },
  ],
  example: '--from ~/.venus-sector-manager --import-index http://old:1789',
  async run(toolbox, written): Promise<Answer> {
    const from = fromOf(written);
    const { importIndex: address } = written.options;
    const dryRun = isSet(written, 'dryRun');
    const old = await readOld(from);
    const taken = await takeOverFiles(from, toolbox.confDir, dryRun);
    const { stores, warnings } = await configuredStores(toolbox, old.manager.config.common);
    const miners = new Set(old.manager.config.miners.map(({ actor }) => actor));
    const meter = new ScanMeter(toolbox.clock, process.stderr);
    const signal = untilSignal();
    if (!dryRun) await makeTables(await toolbox.database());
    const attached = dryRun ? undefined : await attachStores(toolbox, { stores, miners, meter, signal });
    const imported: Imported[] = [];
    for (const minerId of typeof address === 'string' && !dryRun ? miners : []) {
      const index = new SectorIndex({ db: await toolbox.database() });
      const onProgress = (asked: number, of: number) => {
        if (asked % IMPORT_STEP === 0) meter.line(`t0${minerId}: ${asked} of ${of} sectors asked for`);
      };
      const names = new Set(stores.map(({ name }) => name));
      const components = { clock: toolbox.clock, chain: await toolbox.chain(), index };
      imported.push(await importIndex(components, { address: String(address), minerId, stores: names, onProgress }));
    }
    const report: MigrateReport = {
      from,
      to: toolbox.confDir,
      dryRun,
      files: taken,
      warnings: [...old.warnings, ...warnings],
      differences: differences(old),
      stores: attached ?? stores.map(({ name, path }) => ({ name, path })),
      imported,
    };
    const failed = attached?.some(({ trouble }) => trouble !== null) ?? false;
    return { json: report, text: reportText(report), exitCode: failed ? 1 : 0 };
  },
};

function fromOf({ options: { from } }: Written): string {
  if (typeof from !== 'string' || from === '')
    throw usage('--from is missing: name the home folder of the old manager');
  const path = resolve(from);
  if (existsSync(join(path, 'sector-manager.cfg'))) return path;
  throw new CodedError('no-old-home', `${path} has no sector-manager.cfg: name the home folder of the old manager`);
}

async function readOld(from: string): Promise<{
  readonly manager: Loaded<ManagerConfig>;
  readonly master: Loaded<MasterConfig> | undefined;
  readonly hasTokens: boolean;
  readonly warnings: readonly string[];
}> {
  const manager = await loadManagerConfig(join(from, 'sector-manager.cfg'));
  const ext = await readExtProvers(from);
  const file = ext.masterFile;
  const isHere = file !== undefined && existsSync(file);
  const master = isHere ? await loadMasterConfig(file) : undefined;
  const away = file !== undefined && !isHere ? [`${ext.file} names ${file}, which is not there`] : [];
  return {
    manager,
    master,
    hasTokens: Boolean(process.env.WDPOST_TOKEN) || master?.config.server.tokenFile !== undefined,
    warnings: [...manager.warnings, ...ext.warnings, ...away, ...(master?.warnings ?? [])],
  };
}
