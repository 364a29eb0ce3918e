import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { Command, Option } from 'commander';
import { exampleHelp, LOG_HELP, programHelp } from '../../cli/help-text.ts';
import { runProgram } from '../../cli/run-program.ts';
import { ServiceManager } from '../../cli/service-manager.ts';
import { untilSignal } from '../../cli/until-signal.ts';
import { endsOnWrongUsage } from '../../cli/usage-errors.ts';
import { programVersion } from '../../cli/version.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { defaultHome } from './default-home.ts';
import { initDaemon, initText } from './init-daemon.ts';
import { readAddresses, type WrittenAddresses } from './listen-options.ts';
import { runDaemon } from './run-daemon.ts';
import { addUtil } from './util/util-command.ts';

const home = defaultHome({ env: process.env, userHome: homedir(), exists: existsSync });

const service = new ServiceManager(process.env);
const program = endsOnWrongUsage(new Command('sector-manager'))
  .version(programVersion())
  .description('Watches chain and sectors, and posts window PoSts')
  .option('--home <dir>', 'folder of configuration and embedded database', home)
  .option('--net <name>', 'accepted for existing scripts; the network is the one of the chain node')
  .addHelpText(
    'after',
    programHelp(
      'sector-manager --home /var/lib/wdpost daemon run --poster --conf-dir /etc/wdpost',
      'sector-manager util config check --conf-dir /etc/wdpost',
    ),
  );

interface RunOptions {
  readonly poster?: boolean;
  readonly miner?: boolean;
  readonly warmup: string;
  readonly extProver?: boolean;
  readonly shadow?: boolean;
  readonly confDir?: string;
}

const daemon = program.command('daemon').copyInheritedSettings(program).description('the manager itself');

daemon
  .command('init')
  .description('write a commented sector-manager.cfg and ext-prover.cfg')
  .option('--json', 'answer with one JSON document')
  .addHelpText('after', exampleHelp('sector-manager --home /var/lib/wdpost daemon init'))
  .action(({ json: isJson = false }: { json?: boolean }) =>
    runProgram(
      async () => {
        const files = await initDaemon(program.opts().home);
        process.stdout.write(`${isJson ? JSON.stringify(files, null, 2) : initText(files)}\n`);
      },
      { isJson },
    ),
  );

daemon
  .command('run')
  .description('run in the foreground')
  .addHelpText(
    'after',
    LOG_HELP + exampleHelp('sector-manager daemon run --poster --ext-prover --conf-dir /etc/wdpost'),
  )
  .option('--poster', 'post window PoSts for the miners of sector-manager.cfg')
  .option('--miner', 'make winning proofs for the gateways of sector-manager.cfg')
  .addOption(
    new Option(
      '--warmup [flag]',
      'with --miner: make a winning proof at the start, so that the first real one is not slower',
    )
      .choices(['true', 'false'])
      .preset('true')
      .default('true'),
  )
  .option('--ext-prover', 'prove with the programs of ext-prover.cfg, started as children')
  .option('--shadow', 'do everything but send; util sealer proving shadow-report shows what would have been sent')
  .option('--conf-dir <dir>', 'folder of sector-manager.cfg and ext-prover.cfg (default: the home folder)')
  .option('--listen <address>', 'serve the sector index, metrics and health there, for example 0.0.0.0:1789')
  .option('--proxy <address>', 'look up where sectors are at the manager there (host:port of its --listen)')
  .option('--proxy-sector-indexer-off', 'with --proxy: look them up in the own index all the same')
  .action((options: RunOptions & WrittenAddresses) =>
    runProgram(async () => {
      const { confDir, extProver, shadow, poster = false, miner = false } = options;
      if (!poster && !miner) {
        throw new CodedError('usage', 'say what to run: sector-manager daemon run --poster, --miner or both');
      }
      await runDaemon(
        {
          service,
          home: program.opts().home,
          poster,
          miner,
          warmUp: options.warmup === 'true',
          ...(confDir !== undefined && { confDir }),
          ...(extProver !== undefined && { extProver }),
          ...(shadow !== undefined && { shadow }),
          ...readAddresses(options),
        },
        untilSignal(),
      );
    }),
  );

addUtil(program);

await program.parseAsync();
