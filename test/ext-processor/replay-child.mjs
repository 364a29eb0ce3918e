// A child whose lines were recorded: each request has to be the one that was recorded, byte for byte, and gets the answer of then.
// Arguments: a file of requests, and one of the first line and the answers.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [requests = [], answers = []] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8').split('\n'));
process.stdout.write(`${answers.shift()}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== requests.shift()) {
    process.stderr.write('not the request that was recorded\n');
    process.exit(3);
  }
  process.stdout.write(`${answers.shift()}\n`);
}
