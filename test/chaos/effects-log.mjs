// The append-only log of what really happened, written by children of the fault schedules. One line is one write to a file opened
// with O_APPEND, so lines of many processes never mix. Times are CLOCK_MONOTONIC, which all processes of a host share.
import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';

const { CHAOS_EFFECTS, CHAOS_WHO } = process.env;
const log = openSync(CHAOS_EFFECTS, 'a');

/** Milliseconds. */
export function monotonicNow() {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

export function effect(what, facts = {}) {
  writeSync(log, `${JSON.stringify({ at: monotonicNow(), pid: process.pid, who: CHAOS_WHO, what, ...facts })}\n`);
}

// Twins of those in names.ts.

export function proofName(proof) {
  return digest(Buffer.from(proof, 'base64'));
}

export function workName(task) {
  return digest(JSON.stringify(task));
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
