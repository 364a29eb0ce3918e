import { Command } from 'commander';
import { runProgram } from '../../cli/run-program.ts';
import { untilSignal } from '../../cli/until-signal.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { loadSlaveConfig } from '../../config/slave-file.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { runSlave } from './slave.ts';

await new Command('wdpost-slave-daemon')
  .description('Proves window PoSt tasks of a master in persistent prover processes, one for each slot')
  // The documented form is `-c=slave.toml`, which commander hands over with the sign.
  .requiredOption('-c, --config <slave.toml>', 'configuration file', (text) => text.replace(/^=/, ''))
  .showHelpAfterError('(add --help for the options)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(({ config: path }: { config: string }) =>
    runProgram(async () => {
      const logger = createLogger('wdpost-slave');
      const { config, warnings } = await loadSlaveConfig(path);
      for (const warning of warnings) logger.warn({ warning }, 'configuration');
      await runSlave({ clock: systemClock, logger }, config, { env: process.env, signal: untilSignal() });
    }),
  )
  .parseAsync();
