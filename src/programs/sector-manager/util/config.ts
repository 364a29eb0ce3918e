import { join } from 'node:path';
import { textTable } from '../../../cli/text-table.ts';
import { createVerifier } from '../../../ext-processor/verifier.ts';
import { minerSettings } from '../miner-settings.ts';
import { preflight } from '../preflight/preflight.ts';
import { carrierKind } from '../sending-init.ts';
import type { Group } from './verb.ts';

export const configGroup: Group = {
  name: 'config',
  about: 'look at the configuration',
  members: [
    {
      name: 'check',
      about: 'check everything that posting needs: chain node, senders, parameters, stores, database, master, GPUs',
      async run(toolbox) {
        const config = await toolbox.config();
        const miners = minerSettings(config, toolbox.logger, join(toolbox.confDir, 'sector-manager.cfg'));
        const verifier = createVerifier(toolbox);
        toolbox.onClose(() => verifier.close());
        const findings = await preflight(
          { clock: toolbox.clock, logger: toolbox.logger, chain: toolbox.chain, db: toolbox.database, verifier },
          { miners, stores: config.common.persistStores, signsHere: carrierKind(config) !== 'messager' },
        );
        return {
          json: findings,
          text: textTable(
            ['', 'check', 'finding'],
            findings.map(({ verdict, check, text }) => [verdict, check, text]),
          ),
          exitCode: findings.some(({ verdict }) => verdict === 'fail') ? 1 : 0,
        };
      },
    },
  ],
};
