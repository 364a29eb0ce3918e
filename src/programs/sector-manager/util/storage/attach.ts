import { resolve } from 'node:path';
import { untilSignal } from '../../../../cli/until-signal.ts';
import { errorCode, errorText } from '../../../../errors/coded-error.ts';
import { formatSectorSize } from '../../../../filecoin/sector-size.ts';
import { attachStore } from '../../../../stores/index/attach-store.ts';
import { storeAllows } from '../../../../stores/persist-store.ts';
import { globToRegExp } from '../../../../stores/scan/glob.ts';
import { isSet, usage } from '../proving/usage.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Verb, Written } from '../verb.ts';
import { attachJson, attachText, type LeftOut } from './attach-report.ts';
import { indexDatabase } from './index-database.ts';
import { knownStores } from './known-stores.ts';
import { ScanMeter } from './scan-meter.ts';
import { storeSection } from './store-section.ts';

/** In the JSON answer; --verbose shows all. */
const MAX_NAMED = 1_000;
const LONGEST_NAME = 190;
const SOME_LEFT_OUT = 3;

export const attach: Verb = {
  name: 'attach',
  args: ['<path>'],
  example: '--verbose --name=storage1 /mnt/nfs1',
  about:
    'scan a store and put its sectors into the index, while the daemon runs; exits with 0: all sectors are in, 3: some were left out, ' +
    '1: the scan failed',
  options: [
    { flags: '--name <name>', about: 'name of the store (default: its absolute path)' },
    { flags: '--strict', about: 'for the section printed; sizes are always checked' },
    { flags: '--read-only', about: 'for the section printed' },
    { flags: '-v, --verbose', about: 'name every sector that is left out, and why' },
    { flags: '--allow-splitted', about: 'sealed files and cache folders may lie in different stores' },
    { flags: '--pattern <glob>', about: 'only sectors with such names: s-t01000-1[0-9]' },
    { flags: '--prune', about: 'take out of the index what is gone from the store' },
    { flags: '--dry-run', about: 'write nothing' },
  ],
  async run(toolbox, written) {
    const store = storeOf(written);
    const pattern = patternOf(written);
    const [prune, dryRun, verbose] = [isSet(written, 'prune'), isSet(written, 'dryRun'), isSet(written, 'verbose')];
    if (prune && pattern !== undefined) throw usage('--prune looks at all sectors of a store: leave --pattern out');
    const meter = new ScanMeter(toolbox.clock, process.stderr);
    const leftOut: LeftOut[] = [];
    const tell = (one: LeftOut) => {
      if (leftOut.length < MAX_NAMED) leftOut.push(one);
      if (verbose) meter.line(`${one.name}: ${one.reason}`);
    };
    const report = await attachStore(
      { clock: toolbox.clock, logger: toolbox.logger, db: await indexDatabase(toolbox) },
      {
        ...store,
        configured: [...(await knownStores(toolbox)).values()],
        ...(pattern !== undefined && { pattern }),
        prune,
        dryRun,
        isOurs: await ourMiners(toolbox, store.name),
        allowSplit: isSet(written, 'allowSplitted'),
        onLeftOut: ({ minerId, number }, verdict, reason) =>
          tell({ name: `s-t0${minerId}-${number}`, verdict, reason }),
        onStrange: ({ folder, name, reason }) => tell({ name: `${folder}/${name}`, verdict: 'notASector', reason }),
        onProgress: (progress) => meter.show(progress),
        signal: untilSignal(),
      },
    );
    meter.clear();
    const { ok, ...bad } = report.counts;
    const isComplete = Object.entries(bad).every(([verdict, count]) => count === 0 || verdict === 'otherMiner');
    const failed = report.failure !== undefined;
    if (written.options.json !== true) {
      process.stderr.write(`${attachText(report, { dryRun, verbose })}\n`);
      if (failed) process.stderr.write(`error: ${errorText(report.failure)}\n`);
    }
    const isUsable = !failed || ok > 0;
    if (written.options.json !== true && isUsable)
      process.stderr.write('add the section below into the config file:\n');
    const sizes = [...report.sectorSizes].map(([minerId, size]) => ({ minerId, sectorSize: formatSectorSize(size) }));
    return {
      json: {
        ...attachJson(report, store),
        dryRun,
        miners: sizes,
        leftOut,
        ...(failed && { error: { code: errorCode(report.failure) ?? 'failed', message: errorText(report.failure) } }),
      },
      text: isUsable ? storeSection(store) : '',
      exitCode: failed ? 1 : isComplete ? 0 : SOME_LEFT_OUT,
    };
  },
};

function storeOf(written: Written) {
  const [path = ''] = written.args;
  if (path === '') throw usage('the path of the store is missing');
  const absolute = resolve(path);
  const { name = absolute } = written.options;
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) {
    throw usage(`--name must be a text of at most ${LONGEST_NAME} characters`);
  }
  return { name, path: absolute, strict: isSet(written, 'strict'), readOnly: isSet(written, 'readOnly') };
}

function patternOf({ options: { pattern } }: Written): string | undefined {
  if (typeof pattern !== 'string' || pattern === '*') return undefined;
  try {
    globToRegExp(pattern);
    return pattern;
  } catch (error) {
    throw usage(`--pattern ${errorText(error)}`);
  }
}

/** The miners of sector-manager.cfg, where it has any, without those that the store's own section keeps out. */
async function ourMiners(toolbox: Toolbox, store: string): Promise<(minerId: number) => boolean> {
  const ours = new Set((await toolbox.config()).miners.map(({ actor }) => actor));
  const rules = (await knownStores(toolbox)).get(store);
  return (minerId) => (ours.size === 0 || ours.has(minerId)) && (rules === undefined || storeAllows(rules, minerId));
}
