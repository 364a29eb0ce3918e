import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { SyncLook } from './look-sync.ts';
import {
  CALLS_AT,
  ITEM_FIELDS,
  type Listed,
  type LookJob,
  type LookResult,
  SECTOR_AT,
  type WorkerMessage,
  type WorkerStart,
} from './scan-messages.ts';
import type { ScannedSector } from './scanned-sector.ts';

// A thread of a scan process: jobs in, results out. Only this thread hangs when the store does.

const { root, state }: WorkerStart = workerData;
const look = new SyncLook(root, () => Atomics.add(state, CALLS_AT, 1));

/** A job may take long in a store that takes its time for each call. */
const BUSY_EVERY_MS = 1_000;

function doJob({ upgraded, items }: LookJob): LookResult {
  const began = performance.now();
  const callsBefore = Atomics.load(state, CALLS_AT);
  let toldAt = began;
  const good: { minerId: number; upgraded: boolean; sectorSize: number; numbers: number[] }[] = [];
  const doubtful: ScannedSector[] = [];
  for (let at = 0; at < items.length; at += ITEM_FIELDS) {
    Atomics.store(state, SECTOR_AT, at / ITEM_FIELDS);
    const [minerId = 0, number = 0, sealedIs = 0, cacheIs = 0] = items.slice(at, at + ITEM_FIELDS);
    const sector = look.look({
      minerId,
      number,
      upgraded,
      sealedIs: sealedIs as Listed,
      cacheIs: cacheIs as Listed,
    });
    const now = performance.now();
    if (now - toldAt >= BUSY_EVERY_MS) {
      toldAt = now;
      parentPort?.postMessage('busy' satisfies WorkerMessage);
    }
    const { sectorSize } = sector;
    if (sector.sealed.is !== 'good' || sector.cache.is !== 'good' || sectorSize === undefined) {
      doubtful.push(sector);
      continue;
    }
    const last = good.at(-1);
    if (last !== undefined && last.minerId === minerId && last.sectorSize === sectorSize) last.numbers.push(number);
    else good.push({ minerId, upgraded, sectorSize, numbers: [number] });
  }
  return {
    looks: { good, doubtful },
    sectors: items.length / ITEM_FIELDS,
    callMs: (performance.now() - began) / Math.max(1, Atomics.load(state, CALLS_AT) - callsBefore),
  };
}

parentPort?.on('message', (job: LookJob) => parentPort?.postMessage(doJob(job) satisfies WorkerMessage));
