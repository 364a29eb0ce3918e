import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { runProgram } from '../../cli/run-program.ts';
import { quickstart } from './quickstart.ts';

const cache =
  process.env.WDPOST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wdpost-cluster');

const program = new Command('quickstart')
  .description('Starts the cluster on a development chain and proves several deadlines')
  .option('--sector-size <size>', '2KiB, 8MiB or 512MiB', '2KiB')
  .option('--keep', 'leave everything running')
  .option('--home <dir>', 'folder for everything it makes; emptied first')
  .action(({ sectorSize, keep, home }: { sectorSize: string; keep?: boolean; home?: string }) =>
    runProgram(() =>
      quickstart({
        sectorSize,
        keep: keep ?? false,
        home: home ?? join(cache, `quickstart-${sectorSize}`),
        parameters: process.env.FIL_PROOFS_PARAMETER_CACHE ?? join(cache, 'params'),
      }),
    ),
  );

await program.parseAsync();
