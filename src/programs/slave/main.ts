import { Command } from 'commander';
import { LOG_HELP, programHelp } from '../../cli/help-text.ts';
import { runProgram } from '../../cli/run-program.ts';
import { ServiceManager } from '../../cli/service-manager.ts';
import { untilSignal } from '../../cli/until-signal.ts';
import { endsOnWrongUsage } from '../../cli/usage-errors.ts';
import { programVersion } from '../../cli/version.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { loadSlaveConfig } from '../../config/slave-file.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { proverEnvironment } from './prover-environment.ts';
import { runSlave } from './slave.ts';

const service = new ServiceManager(process.env);
await endsOnWrongUsage(new Command('wdpost-slave-daemon'))
  .version(programVersion())
  .description('Proves window PoSt tasks of a master in persistent prover processes, one for each slot')
  // The documented form is `-c=slave.toml`, which commander hands over with the sign.
  .requiredOption('-c, --config <slave.toml>', 'configuration file', (text) => text.replace(/^=/, ''))
  .addHelpText(
    'after',
    LOG_HELP +
      programHelp('CUDA_VISIBLE_DEVICES=0 FORCE_SECTOR_SIZE=34359738368 wdpost-slave-daemon -c /etc/wdpost/slave.toml'),
  )
  .action(({ config: path }: { config: string }) =>
    runProgram(async () => {
      const logger = createLogger('wdpost-slave');
      const { config, warnings } = await loadSlaveConfig(path);
      for (const warning of warnings) logger.warn({ warning }, 'configuration');
      const env = proverEnvironment({ logger }, process.env);
      await runSlave({ clock: systemClock, logger, service }, config, { env, signal: untilSignal() });
    }),
  )
  .parseAsync();
