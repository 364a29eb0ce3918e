#!/usr/bin/env node
// The real prover with its starts and proofs in the effects log.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { effect, proofName, workName } from './effects-log.mjs';

const stage = process.argv[3];
const BEAT_MS = 50;
const working = new Map();
let runs = 0;

const prover = spawn(process.env.CHAOS_PROVER, process.argv.slice(2), { stdio: ['pipe', 'pipe', 'inherit'] });
prover.once('exit', (code) => process.exit(code ?? 1));
prover.stdin.on('error', () => {});

function onRequest({ id, task }) {
  if (stage !== 'window_post') {
    const { task: work, proof } = task;
    working.set(id, { work: workName(work), proof: proofName(proof) });
    return;
  }
  const facts = { work: workName(task), run: `${process.pid}-${++runs}` };
  effect('start', facts);
  working.set(id, { ...facts, beat: setInterval(() => effect('working', facts), BEAT_MS) });
}

function onAnswer({ id, progress, err_msg: failure, output }) {
  const known = working.get(id);
  if (known === undefined || progress !== undefined) return;
  working.delete(id);
  const { beat, ...facts } = known;
  clearInterval(beat);
  if (stage !== 'window_post') effect('verdict', { ...facts, valid: output?.valid === true });
  else if (typeof failure === 'string' || output.proofs.length === 0) effect('failure', facts);
  else effect('proof', { ...facts, proof: proofName(output.proofs[0]) });
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    onRequest(JSON.parse(line));
    prover.stdin.write(`${line}\n`);
  })
  .on('close', () => prover.kill('SIGKILL'));
let ready = false;
createInterface({ input: prover.stdout }).on('line', (line) => {
  if (ready) onAnswer(JSON.parse(line));
  else effect('ready', { stage });
  ready = true;
  process.stdout.write(`${line}\n`);
});
