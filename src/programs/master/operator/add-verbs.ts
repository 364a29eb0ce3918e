import type { Command } from 'commander';
import { commandHelp } from '../../../cli/help-text.ts';
import { runProgram } from '../../../cli/run-program.ts';
import type { Clock } from '../../../clock/clock.ts';
import { CodedError } from '../../../errors/coded-error.ts';
import { askMaster } from './ask-master.ts';
import { slaveVerbs } from './slave-verbs.ts';
import { taskVerbs } from './task-verbs.ts';
import type { Verb, VerbGroup } from './verb.ts';

/** Adds `tasks …` and `slaves …`. Exit codes: 0 done, 1 not there or failed, 2 wrong usage. */
export function addVerbs(components: { readonly clock: Clock }, program: Command): void {
  for (const group of [taskVerbs, slaveVerbs]) addGroup(components, program, group);
}

function addGroup(components: { readonly clock: Clock }, program: Command, group: VerbGroup): void {
  const command = program.command(group.name).copyInheritedSettings(program).description(group.about);
  for (const verb of group.verbs) addVerb(components, command, verb);
}

function addVerb(components: { readonly clock: Clock }, group: Command, verb: Verb): void {
  const command = group.command(verb.name).copyInheritedSettings(group).description(verb.about);
  if (verb.argument !== undefined) command.argument(verb.argument);
  for (const { flags, about, default: value } of verb.options ?? []) command.option(flags, about, value);
  command
    .option('--json', 'answer with one JSON document')
    .option('-c, --config <file>', 'wdpost_master.toml of the master on this machine: its address and token file')
    .option('--master <address>', 'ask the master at host:port (or wss://host:port) instead')
    .option('--token-file <file>', 'its token; the environment variable WDPOST_TOKEN does as well')
    .option('--tls-ca <file>', 'trust certificates of these authorities')
    .addHelpText('after', commandHelp(command, { ...verb, usual: '-c /etc/wdpost/wdpost_master.toml' }))
    .action(() => runProgram(() => runVerb(components, command, verb), { isJson: command.opts().json === true }));
}

async function runVerb(components: { readonly clock: Clock }, command: Command, verb: Verb): Promise<void> {
  const options = command.optsWithGlobals();
  // A variable of a script that is not set must not mean all.
  if (command.args[0] === '')
    throw new CodedError('usage', `${verb.argument} is empty: is a variable of a script not set?`);
  const written = { subject: command.args[0] ?? '', options };
  const { json, text } = await verb.run(askMaster(components, options), written, components.clock.now());
  process.stdout.write(`${options.json === true ? JSON.stringify(json, null, 2) : text}\n`);
}
