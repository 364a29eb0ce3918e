import { execFile } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../src/clock/system-clock.ts';
import { findServerProgram } from '../src/database/server-programs.ts';
import { checkout } from './paths.ts';
import type { Machine } from './records.ts';
import { postgresPrograms } from './servers.ts';

const run = promisify(execFile);
const SYNC_MS = 1_000;
const BLOCK_BYTES = 4_096;
const PACKAGES = ['graphile-worker', 'bullmq', 'ioredis', 'mysql2', 'pg'];

export async function describeMachine(): Promise<Machine> {
  const packages = PACKAGES.map(async (name) => [name, await packageVersion(name)] as const);
  const postgres = join(await postgresPrograms(), 'postgres');
  return {
    at: systemClock.now(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    fileSystem: (await run('stat', ['-f', '-c', '%T', tmpdir()])).stdout.trim(),
    fdatasyncPerSecond: await fdatasyncPerSecond(),
    versions: {
      node: process.versions.node,
      mariadb: await serverVersion(await findServerProgram('mariadbd'), /(\d+\.\d+\.\d+)/),
      postgresql: await serverVersion(postgres, /(\d+\.\d+)/),
      redis: await serverVersion('redis-server', /v=(\S+)/),
      ...Object.fromEntries(await Promise.all(packages)),
    },
  };
}

async function serverVersion(command: string, pattern: RegExp): Promise<string> {
  return pattern.exec((await run(command, ['--version'])).stdout)?.[1] ?? 'unknown';
}

async function packageVersion(name: string): Promise<string> {
  return JSON.parse(await readFile(checkout(`bench/node_modules/${name}/package.json`), 'utf8')).version;
}

/** Where the servers keep their data. */
async function fdatasyncPerSecond(): Promise<number> {
  const path = join(tmpdir(), `wdpost-bench-sync-${process.pid}`);
  const file = openSync(path, 'w');
  const block = Buffer.alloc(BLOCK_BYTES, 1);
  const end = systemClock.monotonic() + SYNC_MS;
  let count = 0;
  for (; systemClock.monotonic() < end; count++) {
    writeSync(file, block);
    fdatasyncSync(file);
  }
  closeSync(file);
  await rm(path);
  return Math.round((count * 1000) / SYNC_MS);
}
