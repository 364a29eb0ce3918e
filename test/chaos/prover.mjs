#!/usr/bin/env node
// A prover whose every step is in the effects log. What it does with a task is written in the task: the first replica's sealed_file
// ends with steps such as `fail,hang,80`, one for each start that the task has seen anywhere, the last one for all that follow.
// A number is a proof after so many milliseconds. Its proofs are signed for their task, and `window_post_verify` takes no others.
import { createHmac, randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { effect, proofName, workName } from './effects-log.mjs';

const { CHAOS_SECRET, CHAOS_STARTS } = process.env;
const stage = process.argv[3];
const BEAT_MS = 50;
const NONCE_BYTES = 128;
let runs = 0;

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function sign(work, nonce) {
  return createHmac('sha512', CHAOS_SECRET).update(work).update(nonce).digest();
}

/** How often the task was started before, by any prover: a file for each start. */
function startsBefore(work) {
  for (let count = 0; ; count++) {
    try {
      closeSync(openSync(join(CHAOS_STARTS, `${work}.${count}`), 'wx'));
      return count;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

function prove(id, task) {
  const work = workName(task);
  const run = `${process.pid}-${++runs}`;
  const steps = task.replicas[0].sealed_file.split('/').at(-1).split(',');
  const step = steps[Math.min(startsBefore(work), steps.length - 1)];
  effect('start', { work, run, step });
  const began = Date.now();
  const total = step === 'hang' ? 1 : Math.max(1, Number(step) || 1);
  const beat = setInterval(() => {
    effect('working', { work, run });
    if (step !== 'hang') say({ id, progress: { phase: 'proving', done: Math.min(total, Date.now() - began), total } });
  }, BEAT_MS);
  if (step === 'hang') return;
  setTimeout(
    () => {
      clearInterval(beat);
      if (step === 'fail') {
        effect('failure', { work, run });
        return say({ id, err_msg: 'told to fail', output: null });
      }
      const nonce = randomBytes(NONCE_BYTES);
      const proof = Buffer.concat([nonce, sign(work, nonce)]).toString('base64');
      // Before it is said: what is stored must be in the log.
      effect('proof', { work, run, proof: proofName(proof) });
      say({ id, err_msg: null, output: { proofs: [proof], faults: [] } });
    },
    step === 'fail' ? BEAT_MS : Number(step),
  );
}

function verify(id, { task, proof }) {
  const work = workName(task);
  const bytes = Buffer.from(proof, 'base64');
  const valid = sign(work, bytes.subarray(0, NONCE_BYTES)).equals(bytes.subarray(NONCE_BYTES));
  effect('verdict', { work, proof: proofName(proof), valid });
  say({ id, err_msg: null, output: { valid, reason: valid ? null : 'not a proof of this task' } });
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, task } = JSON.parse(line);
    if (stage === 'window_post') prove(id, task);
    else verify(id, task);
  })
  .on('close', () => process.exit(0));
effect('ready', { stage });
process.stdout.write(`${stage} processor ready\n`);
