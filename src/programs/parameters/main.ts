import { Command, Option } from 'commander';
import { exampleHelp, programHelp } from '../../cli/help-text.ts';
import { runProgram } from '../../cli/run-program.ts';
import { endsOnWrongUsage } from '../../cli/usage-errors.ts';
import { programVersion } from '../../cli/version.ts';
import { sectorSizeNames } from '../../filecoin/sector-size.ts';
import { preparedText, prepareParameters } from './prepare.ts';

const program = endsOnWrongUsage(new Command('gen_cache_and_param_blst'))
  .description('Makes a host ready to prove')
  .version(programVersion())
  .addHelpText('after', programHelp('gen_cache_and_param_blst wdpost-param --size 32GiB'));

program
  .command('wdpost-param')
  .copyInheritedSettings(program)
  .description(
    'check the window PoSt parameters of a sector size by their published digests (small test sizes are made), and read them into memory',
  )
  .addOption(new Option('--size <size>', 'of the sectors').choices(sectorSizeNames).makeOptionMandatory())
  .option(
    '--dir <dir>',
    'parameter directory (default: FIL_PROOFS_PARAMETER_CACHE, else /var/tmp/filecoin-proof-parameters)',
  )
  .option('--shm', 'copy them to /dev/shm too, for slaves with BELLMAN_LOAD_SHM=1; refused where memory is not plenty')
  .option('--json', 'answer with one JSON document')
  .addHelpText('after', exampleHelp('gen_cache_and_param_blst wdpost-param --size 32GiB'))
  .action((options: { size: string; dir?: string; shm?: boolean; json?: boolean }) =>
    runProgram(
      async () => {
        const prepared = await prepareParameters({
          size: options.size,
          directory: options.dir,
          sharedMemory: options.shm === true ? '/dev/shm' : undefined,
        });
        process.stdout.write(`${options.json === true ? JSON.stringify(prepared, null, 2) : preparedText(prepared)}\n`);
      },
      { isJson: options.json === true },
    ),
  );

await program.parseAsync();
