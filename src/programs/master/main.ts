import { fstatSync } from 'node:fs';
import { Command, Option } from 'commander';
import { LOG_HELP, programHelp } from '../../cli/help-text.ts';
import { runProgram } from '../../cli/run-program.ts';
import { ServiceManager } from '../../cli/service-manager.ts';
import { untilSignal } from '../../cli/until-signal.ts';
import { endsOnWrongUsage } from '../../cli/usage-errors.ts';
import { programVersion } from '../../cli/version.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { loadMasterConfig } from '../../config/master-file.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { runLineRole } from './line-role.ts';
import { addVerbs } from './operator/add-verbs.ts';
import { runWinningLine } from './winning-line.ts';

const service = new ServiceManager(process.env);
const program = endsOnWrongUsage(new Command('wdpost-master-daemon'))
  .version(programVersion())
  .description('Keeps proving tasks in the database and leases them to slaves. With -c alone it runs the master')
  .option('-c, --config <file>', 'wdpost_master.toml')
  .addOption(
    new Option('--stage <stage>', 'what it does as the child of a manager, which gives it a pipe as its stdin')
      .choices(['window_post', 'winning_post'])
      .default('window_post'),
  )
  .addHelpText(
    'after',
    LOG_HELP +
      programHelp(
        'wdpost-master-daemon -c /etc/wdpost/wdpost_master.toml',
        'wdpost-master-daemon tasks list -c /etc/wdpost/wdpost_master.toml',
      ),
  )
  .action((options: { config?: string; stage: string }) => {
    const { config: file, stage } = options;
    const [word] = program.args;
    if (word !== undefined) return program.error(`error: unknown command '${word}': write tasks, slaves, or -c alone`);
    const isWinning = stage === 'winning_post' && isFedByParent();
    if (file === undefined && !isWinning) {
      return program.error("error: required option '-c, --config <file>' not specified");
    }
    return runProgram(async () => {
      const components = { clock: systemClock, logger: createLogger('wdpost-master') };
      const signal = untilSignal();
      const lines = { signal, input: process.stdin, output: process.stdout };
      if (file === undefined || isWinning) return await runWinningLine(components, lines);
      const { config, warnings } = await loadMasterConfig(file.replace(/^=/, ''));
      for (const warning of warnings) components.logger.warn({ warning }, 'config');
      if (isFedByParent()) return await runLineRole(components, config, lines);
      const { runMaster } = await import('./master.ts');
      await runMaster({ ...components, service }, config, signal);
    });
  });

addVerbs({ clock: systemClock }, program);
// So that a word that is no command is told as one; the commands count their arguments by themselves.
program.allowExcessArguments();
await program.parseAsync();

/** systemd gives /dev/null, a person a terminal; a parent that speaks lines a pipe, or some a socket. */
function isFedByParent(): boolean {
  const stdin = fstatSync(0);
  return stdin.isFIFO() || stdin.isSocket();
}
