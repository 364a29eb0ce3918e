import { mkdir, writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { DatabaseServer } from './database-server.ts';
import { realProver } from './real-prover.ts';
import { line, table } from './report.ts';
import { type Result, runSchedule } from './run-schedule.ts';
import { planSchedule } from './schedule.ts';

/** Real proofs take their time. */
const REAL_TASKS = 8;

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('it is no whole number');
  return Number(text);
}

const options = new Command('chaos')
  .description('Kills, stops and cuts off real masters, slaves, provers and databases by seed, and judges what is left')
  .option('--seed <number>', 'of the first schedule; each one after has the next', wholeNumber, 1)
  .option('--schedules <number>', 'how many', wholeNumber, 200)
  .option('--masters <number>', 'one leads, the others stand by', wholeNumber, 2)
  .option('--real', 'with the real prover and sectors of 2 KiB')
  .parse()
  .opts<{ seed: number; schedules: number; masters: number; real?: true }>();

const say = (text: string) => process.stdout.write(`${text}\n`);
const results: Result[] = [];
const database = await DatabaseServer.start();
const real = options.real === undefined ? undefined : await realProver();
const init = {
  database,
  masters: options.masters,
  ...(real && { realProver: real, makeTask: real.makeTask }),
};
try {
  for (let seed = options.seed; seed < options.seed + options.schedules; seed++) {
    const schedule = planSchedule(seed);
    const tasks = real === undefined ? schedule.tasks : schedule.tasks.slice(0, REAL_TASKS);
    const result = await runSchedule(init, { ...schedule, tasks });
    results.push(result);
    say(line(result));
    if (result.story !== undefined) say([...result.problems, result.story].join('\n'));
  }
} finally {
  await database.stop();
  await real?.remove();
}
say(table(results));
await mkdir('build', { recursive: true });
await writeFile(
  'build/chaos.json',
  `${JSON.stringify(
    results.map(({ story, ...result }) => result),
    null,
    1,
  )}\n`,
);
say('Every schedule is in build/chaos.json.');
process.exitCode = results.some(({ problems }) => problems.length > 0) ? 1 : 0;
