import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { addVerbs } from '../../src/programs/master/operator/add-verbs.ts';
import { addUtil } from '../../src/programs/sector-manager/util/util-command.ts';

const run = promisify(execFile);

/** In an example of ours an option stands before its value or has it behind `=`; one without a value is followed by no argument. */
function isOptionWithValue(word = ''): boolean {
  return word.startsWith('-') && !word.includes('=');
}

/** A command and all below it that do something. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  let text = '';
  const print = (part: string): void => {
    text += part;
  };
  command.configureOutput({ writeOut: print, writeErr: print });
  command.outputHelp();
  return text;
}

const manager = new Command('sector-manager');
addUtil(manager);
const master = new Command('wdpost-master-daemon');
addVerbs({ clock: systemClock }, master);
const commands = [manager, master].flatMap(leaves).map((command) => [pathOf(command), command] as const);

test.each(commands)('%s --help has an example', (path, command) => {
  const help = helpOf(command);
  expect(help).toContain('--json');
  const example = /\nExample:\n {2}(.*)\n/.exec(help)?.[1] ?? '';
  // The example must be one that commander takes: every argument that is asked for is there.
  expect(example).toMatch(`${path}`);
  const words = example.slice(path.length).split(' ').filter(Boolean);
  const rest = words.filter((word, index) => !word.startsWith('-') && !isOptionWithValue(words[index - 1]));
  expect(rest.length).toBeGreaterThanOrEqual(command.registeredArguments.filter(({ required }) => required).length);
});

const daemons = new Set(['sector-manager daemon run', 'wdpost-master-daemon', 'wdpost-slave-daemon', 'wdpost-devnet']);

test.each([
  'sector-manager',
  'sector-manager daemon init',
  'sector-manager daemon run',
  'wdpost-master-daemon',
  'wdpost-slave-daemon',
  'wdpost-devnet',
  'gen_cache_and_param_blst',
  'gen_cache_and_param_blst wdpost-param',
  'install',
  'release',
])('%s --help has an example and exit codes', async (line) => {
  const [program, ...words] = line.split(' ');
  const { stdout } = await run(`bin/${program}`, [...words, '--help']);
  expect(stdout).toMatch(/\nExample:\n {2}\S/);
  if (words.length === 0) expect(stdout).toContain('Exit codes: 0 ');
  if (daemons.has(line)) expect(stdout).toContain('It logs to stderr: JSON lines');
});
