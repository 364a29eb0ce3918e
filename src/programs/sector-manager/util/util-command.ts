import type { Command } from 'commander';
import { commandHelp } from '../../../cli/help-text.ts';
import { runProgram } from '../../../cli/run-program.ts';
import { chainGroup } from './chain.ts';
import { configGroup } from './config.ts';
import { messageGroup } from './message.ts';
import { migrate } from './migrate/migrate.ts';
import { minerGroup } from './miner.ts';
import { sealerGroup } from './proving/proving-group.ts';
import { storageGroup } from './storage/storage-group.ts';
import { withToolbox } from './toolbox.ts';
import type { Group, Option, Verb } from './verb.ts';

/**
 * The words after `util`. One more is a `Group` (verb.ts) in a file of its own, added to this list; a verb gets the toolbox and what
 * was written, and gives its answer as JSON and as text: printing, --json, --conf-dir, errors and exit codes are done here.
 */
const groups: readonly Group[] = [chainGroup, minerGroup, messageGroup, configGroup, sealerGroup, storageGroup];

/** Adds `util …`. Exit codes: 0 done, 1 not there or failed, 2 wrong usage, or the answer's own. */
export function addUtil(program: Command): void {
  const util = program.command('util').copyInheritedSettings(program).description('commands for operators');
  for (const group of groups) addGroup(util, group);
  addVerb(util, migrate);
}

function addGroup(parent: Command, group: Group): void {
  const command = parent.command(group.name).copyInheritedSettings(parent).description(group.about);
  addOptions(command, group.options);
  for (const member of group.members) {
    if ('members' in member) addGroup(command, member);
    else addVerb(command, member);
  }
}

function addVerb(parent: Command, verb: Verb): void {
  const command = parent.command(verb.name).copyInheritedSettings(parent).description(verb.about);
  for (const argument of verb.args ?? []) command.argument(argument);
  addOptions(command, verb.options);
  command
    .option('--json', 'answer with one JSON document')
    .option('--conf-dir <dir>', 'folder of sector-manager.cfg (default: the home folder)')
    .option('--listen <address>', 'accepted for existing scripts; the files are read, no daemon is asked')
    .addHelpText('after', commandHelp(command, verb))
    .action(() => runProgram(() => runVerb(command, verb), { isJson: command.opts().json === true }));
}

function addOptions(command: Command, options: readonly Option[] = []): void {
  for (const { flags, about, default: value } of options) command.option(flags, about, value);
}

async function runVerb(command: Command, verb: Verb): Promise<void> {
  const options: Record<string, unknown> = command.optsWithGlobals();
  const confDir = typeof options.confDir === 'string' ? options.confDir : undefined;
  const answer = await withToolbox({ home: String(options.home), confDir }, (toolbox) =>
    verb.run(toolbox, { args: command.processedArgs, options }),
  );
  process.stdout.write(`${options.json === true ? JSON.stringify(answer.json, null, 2) : answer.text}\n`);
  process.exitCode = answer.exitCode ?? 0;
}
