import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { textTable } from '../../../cli/text-table.ts';
import { loadAnyFile } from '../../../config/load-any-file.ts';
import { type ValueInForce, whereFrom } from '../../../config/value-in-force.ts';
import { errorText } from '../../../errors/coded-error.ts';
import { createVerifier } from '../../../ext-processor/verifier.ts';
import { configuredStores } from '../../../stores/scan/configured-stores.ts';
import { readExtProvers } from '../ext-provers.ts';
import { minerSettings } from '../miner-settings.ts';
import { type Finding, preflight } from '../preflight/preflight.ts';
import { sendingInit } from '../sending-init.ts';
import type { Toolbox } from './toolbox.ts';
import type { Answer, Group } from './verb.ts';

interface ExplainedFile {
  readonly path: string;
  /** The name that such a file has. */
  readonly kind: string;
  readonly values: readonly ValueInForce[];
  readonly warnings: readonly string[];
}

export const configGroup: Group = {
  name: 'config',
  about: 'look at the configuration',
  members: [
    {
      name: 'check',
      args: ['[file]'],
      about:
        'show the value in force of every key and where it comes from, of the named file or of sector-manager.cfg and ext-prover.cfg; ' +
        'with no file named, check everything that posting needs, too: chain node, senders, parameters, stores, database, master, GPUs',
      example: '/etc/wdpost/slave.toml',
      async run(toolbox, { args: [file] }) {
        if (file !== undefined) return answer([await explain(resolve(file))]);
        const paths = ['sector-manager.cfg', 'ext-prover.cfg'].map((name) => join(toolbox.confDir, name));
        const files = await Promise.all(paths.filter((path, index) => index === 0 || existsSync(path)).map(explain));
        return answer(files, await findings(toolbox, files).catch(unfit));
      },
    },
  ],
};

async function explain(path: string): Promise<ExplainedFile> {
  const { kind, values, warnings } = await loadAnyFile(path);
  return { path, kind, values, warnings };
}

/** Such files cannot be run with; their values are shown all the same. */
const unfit = (error: unknown): Finding[] => [{ check: 'configuration', verdict: 'fail', text: errorText(error) }];

async function findings(toolbox: Toolbox, files: readonly ExplainedFile[]): Promise<Finding[]> {
  const config = await toolbox.config();
  const file = join(toolbox.confDir, 'sector-manager.cfg');
  const isProving = config.miners.some(({ proof }) => proof.enabled);
  const isPosting = !isProving || config.miners.some(({ post }) => post.enabled);
  const miners = isPosting ? minerSettings(config, toolbox.logger, file) : [];
  const { carrier } = sendingInit(toolbox, config, file);
  const verifier = createVerifier(toolbox);
  toolbox.onClose(() => verifier.close());
  const { stores } = await configuredStores(toolbox, config.common);
  const ext = await readExtProvers(toolbox.confDir);
  const hasMaster = config.common.cluster.master !== undefined || ext.master !== undefined || ext.provers.length === 0;
  const shown = files.flatMap(({ warnings }) => warnings);
  const more = ext.warnings.filter((warning) => !shown.includes(warning));
  const found = await preflight(
    { clock: toolbox.clock, logger: toolbox.logger, chain: toolbox.chain, db: toolbox.database, verifier },
    { miners, stores, carrier, gateways: isProving ? config.common.api.gateway : [], hasMaster },
  );
  return [...more.map((text): Finding => ({ check: 'ext-prover.cfg', verdict: 'warn', text })), ...found];
}

function answer(files: readonly ExplainedFile[], found?: readonly Finding[]): Answer {
  const parts = files.map(fileText);
  if (found !== undefined) {
    const rows = found.map(({ verdict, check, text }) => [verdict, check, text]);
    parts.push(textTable(['', 'check', 'finding'], rows));
  }
  return {
    json: { files, ...(found !== undefined && { findings: found }) },
    text: parts.join('\n\n'),
    exitCode: found?.some(({ verdict }) => verdict === 'fail') ? 1 : 0,
  };
}

/** Keys without effect are shown where they were written. */
function fileText({ path, kind, values, warnings }: ExplainedFile): string {
  const rows = values
    .filter(({ notApplicable, from }) => notApplicable === undefined || from === 'file')
    .map((one) => [
      one.path,
      one.value ?? '-',
      whereFrom(one),
      one.notApplicable === undefined ? '' : 'not applicable',
    ]);
  return [
    `${path} (${kind})`,
    textTable(['key', 'value', 'from', ''], rows),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}
