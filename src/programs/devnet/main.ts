import { Command, CommanderError, Option } from 'commander';
import { LOG_HELP, programHelp } from '../../cli/help-text.ts';
import { runProgram } from '../../cli/run-program.ts';
import { programVersion } from '../../cli/version.ts';
import { sectorSizeNames } from '../../filecoin/sector-size.ts';
import { defaultQuiet } from './quiet.ts';
import { runDevnet } from './run.ts';

const program = new Command('wdpost-devnet')
  .description(
    'A development chain that speaks the Lotus JSON-RPC. For development and tests only: it keeps nothing and secures nothing.',
  )
  .requiredOption('--home <dir>', 'folder for the files `api` and `token`, as a node writes them')
  .requiredOption('--miner <id...>', 'actor ids of the miners, such as t01001')
  .requiredOption(
    '--sectors <file>',
    'JSON lines {"sector_id", "comm_r", "miner"?, "deadline"?} as `prover-tools sectors fake` prints them',
  )
  .addOption(new Option('--sector-size <size>', 'of all sectors').choices(sectorSizeNames).default('2KiB'))
  .option('--partitions-per-deadline <n>', 'partitions put into a deadline before the next one is filled', '1')
  .option('--listen <host:port>', 'port 0 takes a free one', '127.0.0.1:0')
  .option('--block-time <duration>', 'between tipsets, such as 1s or 250ms; 0 makes none by itself', '1s')
  .option('--start-epoch <epoch>', 'the first tipset stands one epoch above it', '0')
  .option('--skip-quiet', 'pass fast through epochs in which nobody has anything to do')
  .option(
    '--quiet-before <epochs>',
    'with --skip-quiet: normal pace this long before a deadline opens',
    String(defaultQuiet.beforeOpen),
  )
  .option(
    '--quiet-after <epochs>',
    'with --skip-quiet: normal pace this long after a message landed',
    String(defaultQuiet.afterMessage),
  )
  .option('--seed <text>', 'decides keys, tokens and randomness', 'wdpost-devnet')
  .version(programVersion())
  .addHelpText(
    'after',
    LOG_HELP +
      '\nWhat happens on the chain is printed to stdout as JSON lines.\n' +
      programHelp('wdpost-devnet --home /tmp/devnet --miner t01000 --sectors sectors.jsonl'),
  )
  .showHelpAfterError('(add --help for the options)')
  .exitOverride()
  .action((options: Parameters<typeof runDevnet>[0]) => runProgram(() => runDevnet(options)));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
