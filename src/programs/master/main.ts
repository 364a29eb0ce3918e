import { Command } from 'commander';
import { runProgram } from '../../cli/run-program.ts';
import { untilSignal } from '../../cli/until-signal.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { loadMasterConfig } from '../../config/master-file.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { runMaster } from './master.ts';
import { addVerbs } from './operator/add-verbs.ts';

const program = new Command('wdpost-master-daemon')
  .description('Keeps proving tasks in the database and leases them to slaves. With -c alone it runs the master')
  .option('-c, --config <file>', 'wdpost_master.toml')
  .showHelpAfterError('(add --help for the options)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action((options: { config?: string }) => {
    const { config: file } = options;
    if (file === undefined) return program.error("error: required option '-c, --config <file>' not specified");
    return runProgram(async () => {
      const logger = createLogger('wdpost-master');
      const { config, warnings } = await loadMasterConfig(file.replace(/^=/, ''));
      for (const warning of warnings) logger.warn({ warning }, 'config');
      await runMaster({ clock: systemClock, logger }, config, untilSignal());
    });
  });

addVerbs({ clock: systemClock }, program);
await program.parseAsync();
