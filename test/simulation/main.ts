import { Command, InvalidArgumentError } from 'commander';
import { killMany } from './killing/kill-many.ts';
import { drawPlan } from './plan.ts';
import { summary } from './report.ts';
import { simulate, type Verdict } from './simulate.ts';

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('it is no whole number');
  return Number(text);
}

const options = new Command('simulate')
  .description('Drives the poster through simulated proving periods by seed, and judges from the simulated chain alone')
  .option('--seed <number>', 'of the first miner; each one after has the next', wholeNumber, 1)
  .option('--runs <number>', 'deadline runs to simulate, of as many miners as that takes', wholeNumber, 10_000)
  .option('--small', 'one partition a deadline and few faults: to measure the rate')
  .option('--verbose', 'tell of every partition that was lost')
  .option('--kill <number>', 'instead: schedules of SIGKILLs of the real poster on a real database', wholeNumber)
  .option('--trace', 'tell of every decision, push and ending')
  .parse()
  .opts<{ seed: number; runs: number; small?: true; verbose?: true; trace?: true; kill?: number }>();

const say = (text: string) => process.stdout.write(`${text}\n`);
function simulateMany(): boolean {
  const began = process.cpuUsage();
  const verdicts: Verdict[] = [];
  let deadlines = 0;
  for (let seed = options.seed; deadlines < options.runs; seed++) {
    const verdict = simulate(drawPlan(seed, options.small), options.trace ? { tell: say } : {});
    deadlines += verdict.deadlines;
    verdicts.push(verdict);
    for (const problem of verdict.problems) say(`seed ${seed}: ${problem}`);
    if (!options.verbose) continue;
    for (const { open, partition, end, storms, hadUnreadable } of verdict.outcomes) {
      if (end !== 'lost') continue;
      const reasons = [...storms, ...(hadUnreadable ? ['unreadable sectors'] : [])].join(', ');
      say(`seed ${seed}: deadline at ${open}, partition ${partition} could not be proven: ${reasons}`);
    }
  }
  const { user, system } = process.cpuUsage(began);
  say(summary(verdicts, (user + system) / 1_000_000));
  return verdicts.some(({ problems }) => problems.length > 0);
}

const hasFailed = options.kill === undefined ? simulateMany() : (await killMany(options.kill, options.seed, say)) > 0;
process.exitCode = hasFailed ? 1 : 0;
