#!/usr/bin/env node
// The line protocol's window_post_verify for proofs of tests: valid when the first byte is 1.
import { createInterface } from 'node:readline';

process.stdout.write('window_post_verify processor ready\n');
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const {
      id,
      task: { proof },
    } = JSON.parse(line);
    const valid = Buffer.from(proof, 'base64')[0] === 1;
    const output = { valid, reason: valid ? null : 'the first byte is not 1' };
    process.stdout.write(`${JSON.stringify({ id, err_msg: null, output })}\n`);
  })
  .on('close', () => process.exit(0));
