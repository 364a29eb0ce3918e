import { createInterface } from 'node:readline';
import { writeTogether } from '../clock/write-together.ts';
import { type Question, READY_LINE } from './check-messages.ts';
import { lookAtSector, probe } from './look.ts';
import { sectorFiles } from './sector-files.ts';

// The program that a StoreChecker starts for each store: questions on stdin, answers on stdout, in any order. It may hang with its
// store at any call; its parent then ends it.

const root = process.argv[2] ?? '';

/** A normal exit would wait for threads that hang in the store. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function found(question: Question) {
  if (question.ask === 'probe') return { probe: await probe(root, question.canaries) };
  const { minerId, number, ...init } = question.sector;
  return { look: await lookAtSector(root, sectorFiles(minerId, number, init)) };
}

async function answer(line: string): Promise<void> {
  const { id, ...question } = JSON.parse(line) as Question & { readonly id: number };
  const said = await found(question);
  writeTogether(process.stdout);
  process.stdout.write(`${JSON.stringify({ id, ...said })}\n`);
}

process.stdout.on('error', end);
createInterface({ input: process.stdin }).on('line', answer).on('close', end);
process.stdout.write(`${READY_LINE}\n`);
