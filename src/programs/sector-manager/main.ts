import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { runProgram } from '../../cli/run-program.ts';
import { untilSignal } from '../../cli/until-signal.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { initDaemon } from './init-daemon.ts';
import { runDaemon } from './run-daemon.ts';
import { addUtil } from './util/util-command.ts';

const { VENUS_SECTOR_MANAGER_PATH, VSM_PATH } = process.env;
const defaultHome = VENUS_SECTOR_MANAGER_PATH ?? VSM_PATH ?? join(homedir(), '.venus-sector-manager');

const program = new Command('sector-manager')
  .description('Watches chain and sectors, and posts window PoSts')
  .option('--home <dir>', 'folder of configuration and embedded database', defaultHome)
  .showHelpAfterError('(add --help for the options)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const daemon = program.command('daemon').copyInheritedSettings(program).description('the manager itself');

daemon
  .command('init')
  .description('write a commented sector-manager.cfg and ext-prover.cfg')
  .action(() =>
    runProgram(async () => {
      const written = await initDaemon(program.opts().home);
      process.stdout.write(written.length === 0 ? 'the files are there already\n' : `${written.join('\n')}\n`);
    }),
  );

daemon
  .command('run')
  .description('run in the foreground')
  .option('--poster', 'post window PoSts for the miners of sector-manager.cfg')
  .option('--miner', 'serve winning PoSt (not part of this version)')
  .option('--ext-prover', 'start the first [[WdPost]] of ext-prover.cfg as a child')
  .option('--shadow', 'do everything but send; util sealer proving shadow-report shows what would have been sent')
  .option('--conf-dir <dir>', 'folder of sector-manager.cfg and ext-prover.cfg (default: the home folder)')
  .option('--listen <address>', 'accepted for existing units; nothing is served there yet')
  .action((options: { poster?: boolean; miner?: boolean; extProver?: boolean; shadow?: boolean; confDir?: string }) =>
    runProgram(async () => {
      if (options.miner) {
        throw new CodedError(
          'no-winning-post',
          '--miner: this version does not serve winning PoSt; leave the flag out',
        );
      }
      if (!options.poster) throw new CodedError('nothing-to-do', 'say what to run: sector-manager daemon run --poster');
      const { confDir, extProver, shadow } = options;
      await runDaemon(
        {
          home: program.opts().home,
          ...(confDir !== undefined && { confDir }),
          ...(extProver !== undefined && { extProver }),
          ...(shadow !== undefined && { shadow }),
        },
        untilSignal(),
      );
    }),
  );

addUtil(program);

await program.parseAsync();
