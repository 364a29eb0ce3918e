import { connectChain } from '../../src/chain/connect-chain.ts';
import type { TipSet } from '../../src/chain/tipset.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { idAddress } from '../../src/filecoin/address.ts';
import { deadlineAt } from '../../src/filecoin/deadline.ts';
import { MinerPoster } from '../../src/poster/miner-poster.ts';
import { canonicalTask } from '../../src/queue/window-post-task.ts';
import { StoreChecker } from '../../src/stores/store-checker.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { GENESIS_S, MINER, tipSetCid } from './shape.ts';

// The posting half of a manager, measured as a process: it is told which deadlines to begin, each while the one before is open yet,
// and says when every partition's task was submitted and what it took.
const [databaseUrl = '', nodePort = '', partitionsText = '', deadlinesText = '', store = ''] = process.argv.slice(2);
const partitions = Number(partitionsText);
const CHALLENGE_CONFIDENCE = 10;
const LIMIT_MS = 300_000;
const HEAD_MS = 1_000;
/** Heads after the last task, to see what an ordinary one costs. */
const QUIET_HEADS = 20;

const clock = systemClock;
const logger = createLogger('bench-poster', { LOG_LEVEL: process.env.LOG_LEVEL ?? 'fatal' });
const db = await openDatabase({ clock, logger }, { url: databaseUrl });
const chain = connectChain({ clock, logger }, { url: `ws://127.0.0.1:${nodePort}` });
const files =
  store === ''
    ? undefined
    : new StoreChecker(
        { clock, logger },
        {
          stores: [
            { name: 'a', path: store, strict: true, readOnly: true, weight: 1, allowMiners: [], denyMiners: [] },
          ],
        },
      );
const alerts = { raise: () => {}, resolve: () => {} };
let submitted = 0;
let taskBytes = 0;
let onSubmitted = () => {};
const view = (id: string) => ({
  id,
  state: 'running' as const,
  closeAt: null,
  retryCount: 0,
  attempts: 1,
  slave: 'slave',
  phase: null,
  done: 0,
  total: 0,
  createdAt: 0,
  startedAt: 0,
  finishedAt: null,
  output: null,
  error: null,
});
const poster = new MinerPoster(
  {
    clock,
    logger,
    alerts,
    db,
    chain,
    tasks: {
      async submit(task) {
        taskBytes += canonicalTask(task).length;
        submitted++;
        onSubmitted();
        return view(`task-${submitted}`);
      },
      get: async (id) => view(id),
      cancel: async () => {},
      refuse: async () => false,
    },
    verifier: {
      verify: async () => ({ valid: true, reason: null }),
      verifyTask: async () => ({ valid: true, reason: null }),
      close: async () => {},
    },
    checker: files ?? {
      check: async ({ sectors }) =>
        sectors.map(({ number }) => ({
          number,
          verdict: 'good',
          store: 'a',
          sealedFile: `/store/a/sealed/s-t0${MINER}-${number}`,
          cacheDir: `/store/a/cache/s-t0${MINER}-${number}`,
        })),
    },
    rehearser: { faults: async () => new Map() },
    onIntent: () => {},
  },
  {
    miner: {
      minerId: MINER,
      address: idAddress(MINER),
      sender: idAddress(101),
      challengeConfidence: CHALLENGE_CONFIDENCE,
      submitConfidence: 4,
      messageConfidence: 10,
      maxPartitions: 3,
      maxSkipShare: 0.2,
      parallel: true,
      maxFee: 10n ** 18n,
      maxRecoveryFee: 10n ** 18n,
      firstRunGate: false,
      maxRecoverSectors: 0,
      maxPartitionsPerRecovery: 0,
    },
  },
);
const headAt = (height: number): TipSet => ({
  key: [tipSetCid(height)],
  height,
  minTimestamp: GENESIS_S + height * 30,
});

// A first head in an epoch with nothing to prove, as a manager that runs has seen many: connections, stores' processes.
await chain.head();
const leastRss = process.memoryUsage.rss();
const millis: number[] = [];
let height = 0;
const cpu = process.cpuUsage();
for (const index of deadlinesText.split(',').map(Number)) {
  height = deadlineAt(0, index * 60).challenge + CHALLENGE_CONFIDENCE;
  const wanted = submitted + partitions;
  const began = clock.monotonic();
  const done = new Promise<void>((resolve) => {
    onSubmitted = () => {
      if (submitted === wanted) resolve();
    };
  });
  poster.onHead(headAt(height));
  const ticking = new AbortController();
  const limit = clock.sleep(LIMIT_MS, ticking.signal).then(
    () => Promise.reject(new Error(`${submitted} of ${wanted} tasks after ${LIMIT_MS} ms`)),
    () => {},
  );
  await Promise.race([done, limit]);
  ticking.abort();
  millis.push(clock.monotonic() - began);
}
const proving = process.cpuUsage(cpu);
const quiet = process.cpuUsage();
for (let count = 0; count < QUIET_HEADS; count++) {
  poster.onHead(headAt(++height));
  await clock.sleep(HEAD_MS);
}
const quietCpu = process.cpuUsage(quiet);
process.send?.({
  millis,
  taskBytes,
  cpuSeconds: (proving.user + proving.system) / 1e6,
  quietCpuSeconds: (quietCpu.user + quietCpu.system) / 1e6 / QUIET_HEADS,
  leastRss,
  endRss: process.memoryUsage.rss(),
  peakRss: process.resourceUsage().maxRSS * 1024,
});
process.exit(0);
