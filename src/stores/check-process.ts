import { createInterface } from 'node:readline';
import { systemClock } from '../clock/system-clock.ts';
import { writeTogether } from '../clock/write-together.ts';
import { CanaryLooks } from './canary-looks.ts';
import { BUSY_LINE, CAREFUL, type Question, READY_LINE } from './check-messages.ts';
import { probe, type StoreArea } from './look.ts';
import { sectorFiles } from './sector-files.ts';
import { lookAtSector } from './sector-look.ts';
import { StoreCalls } from './store-calls.ts';

// The program that a StoreChecker starts for each store: questions on stdin, answers on stdout, in any order. It may hang with its
// store at any call; its parent then ends it.

const BUSY_EVERY_MS = 500;

const [root = '', care] = process.argv.slice(2);
const calls = new StoreCalls({ clock: systemClock }, { isCareful: care === CAREFUL });
const area: StoreArea = { root, linkOutIs: 'unknown', calls, canaryLooks: new CanaryLooks({ clock: systemClock }) };
/** Questions of which calls came back since that was told. */
const moved = new Set<number>();
let toldAt = 0;

/** A sector of 64 GiB takes 20 calls one after the other: a store that takes its time for each is slow, and not silent. */
function tellBusy(id: number): void {
  moved.add(id);
  const now = systemClock.monotonic();
  if (now - toldAt < BUSY_EVERY_MS) return;
  toldAt = now;
  process.stdout.write(`${BUSY_LINE} ${[...moved].join(' ')}\n`);
  moved.clear();
}

/** A normal exit would wait for threads that hang in the store. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function found(question: Question, onCall: () => void) {
  if (question.ask === 'probe') return { probe: await probe(area, question, onCall) };
  const { minerId, number, ...init } = question.sector;
  return { look: await calls.carryOut(lookAtSector(area, sectorFiles(minerId, number, init)), onCall) };
}

async function answer(line: string): Promise<void> {
  const { id, ...question } = JSON.parse(line) as Question & { readonly id: number };
  const said = await found(question, () => tellBusy(id));
  moved.delete(id);
  writeTogether(process.stdout);
  process.stdout.write(`${JSON.stringify({ id, ...said })}\n`);
}

process.stdout.on('error', end);
createInterface({ input: process.stdin }).on('line', answer).on('close', end);
process.stdout.write(`${READY_LINE}\n`);
