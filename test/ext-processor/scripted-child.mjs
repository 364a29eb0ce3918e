// A child of the line protocol that misbehaves on demand. Its first argument says how it begins:
//   {"first": "<first line>", "stderr": "...", "exit": 3}
// A task says what is written in answer, chunk by chunk, with $ID for the request's id:
//   {"chunks": ["<base64>"...], "untilFile": "/path", "stderr": "...", "exit": 3, "hold": 1, "exitUnlessFile": "/path"}
// `hold` keeps the chunks until the next request has been answered; `exitUnlessFile` makes the file and ends, where it is not there;
// `hangUnlessFile` makes it and never answers, nor what comes after; `silentUnlessFile` makes it and never answers this one alone.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const begin = JSON.parse(process.argv[2] ?? '{}');
if (begin.grandchild) {
  const grandchild = spawn('sleep', ['600'], { stdio: ['ignore', 'inherit', 'inherit'] });
  process.stderr.write(`grandchild ${grandchild.pid}\n`);
}
if (begin.first !== undefined) process.stdout.write(begin.first);
await act(begin);

const held = [];
for await (const line of createInterface({ input: process.stdin })) {
  const { id, task } = JSON.parse(line);
  if (task.silentUnlessFile !== undefined && !existsSync(task.silentUnlessFile)) {
    writeFileSync(task.silentUnlessFile, '');
  } else if (task.hold) held.push({ id, task });
  else {
    await answer({ id, task });
    while (held.length > 0) await answer(held.pop());
  }
}

async function answer({ id, task }) {
  if (task.exitUnlessFile !== undefined && !existsSync(task.exitUnlessFile)) {
    writeFileSync(task.exitUnlessFile, '');
    process.exit(1);
  }
  if (task.hangUnlessFile !== undefined && !existsSync(task.hangUnlessFile)) {
    writeFileSync(task.hangUnlessFile, '');
    await new Promise(() => {});
  }
  while (task.untilFile !== undefined && !existsSync(task.untilFile)) await sleep(5);
  for (const chunk of task.chunks ?? []) {
    const bytes = Buffer.from(chunk, 'base64');
    const text = bytes.includes('$ID') ? bytes.toString().replaceAll('$ID', id) : bytes;
    await new Promise((written) => process.stdout.write(text, written));
    // Time for the parent to read each chunk alone; only the last one may be followed by the end.
    if (chunk !== task.chunks.at(-1)) await sleep(2);
  }
  await act(task);
}

async function act({ stderr, exit }) {
  if (stderr !== undefined) process.stderr.write(stderr);
  if (exit !== undefined) process.exit(exit);
}
