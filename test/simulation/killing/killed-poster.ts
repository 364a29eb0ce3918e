import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { type Kysely, type KyselyPlugin, sql } from 'kysely';
import type { Clock } from '../../../src/clock/clock.ts';
import { CoalescedLoop } from '../../../src/clock/coalesced-loop.ts';
import { systemClock } from '../../../src/clock/system-clock.ts';
import { Database, openDatabase } from '../../../src/database/database.ts';
import type { Schema } from '../../../src/database/schema.ts';
import { idAddress } from '../../../src/filecoin/address.ts';
import { chunkUnion } from '../../../src/filecoin/partitions.ts';
import { Outbox } from '../../../src/outbox/outbox.ts';
import { MinerPoster } from '../../../src/poster/miner-poster.ts';
import { canonicalTask } from '../../../src/queue/window-post-task.ts';
import type { TaskView } from '../../../src/rpc/methods.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { CONFIDENCE, DEADLINE, type Entry, Ledger, SECTORS_EACH } from './ledger.ts';
import { ledgerChain, tipSetAt } from './ledger-chain.ts';

// One process of the manager's posting half. It goes on where the file and the database are, and kills itself around the statement
// that it is told; without one it says how many statements it made and ends when the run is closed.
const [url = '', file = '', minerText = '', killText = '0', killAfter = ''] = process.argv.slice(2);
const minerId = Number(minerText);
const killAt = Number(killText);
const HEAD_MS = 12;
/** Heads in which a run that ought to be closed may yet close. */
const LATE_HEADS = 100;
/** So much faster than a real chain's are these epochs; pauses shrink with them. */
const HASTE = 30_000 / HEAD_MS;
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / HASTE, signal),
  after: (ms, then) => systemClock.after(ms / HASTE, then),
};

const logger = createLogger('killed', { LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent' });
const ledger = new Ledger();
for (const line of readFileSync(file, 'utf8').split('\n')) if (line !== '') ledger.apply(JSON.parse(line));
const append = (entry: Entry) => {
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
  ledger.apply(entry);
};

let statements = 0;
const die = () => process.kill(process.pid, 'SIGKILL');
const killing: KyselyPlugin = {
  transformQuery: ({ node }) => {
    if (++statements === killAt && killAfter !== 'after') die();
    return node;
  },
  transformResult: async ({ result }) => {
    if (statements >= killAt && killAt > 0 && killAfter === 'after') die();
    return result;
  },
};

const proofOf = (sectors: readonly number[], seed: ArrayLike<number>): Buffer => {
  const digest = createHash('sha256').update(Uint8Array.from(seed)).update(sectors.join(',')).digest();
  return Buffer.concat(Array.from({ length: 6 }, () => digest));
};
const view = (id: string): TaskView => ({
  id,
  state: 'proven',
  closeAt: null,
  retryCount: 0,
  attempts: 1,
  slave: 'slave',
  phase: null,
  done: 0,
  total: 0,
  createdAt: 0,
  startedAt: 0,
  finishedAt: 1,
  output: { proofs: [ledger.tasks.get(id)?.toString('base64') ?? ''], faults: [] },
  error: null,
});

const opened = await openDatabase({ clock: systemClock, logger }, { url });
const kysely: Kysely<Schema> = opened.kysely.withPlugin(killing);
const db = new Database({ clock: systemClock, logger }, { kysely });
const chain = ledgerChain(ledger, append, minerId);
const alerts = { raise: () => {}, resolve: () => {} };
const outbox = new Outbox({ clock, logger, db, chain, alerts });
const sending = new CoalescedLoop(
  { clock },
  {
    retryMs: 2_000,
    onFailure: (err) => logger.error({ err }, 'sending failed'),
    work: async () => {
      if (await outbox.advance(tipSetAt(ledger.height))) poster.wake();
    },
  },
);
const poster = new MinerPoster(
  {
    clock,
    logger,
    alerts,
    db,
    chain,
    tasks: {
      async submit(task) {
        const id = createHash('sha256').update(canonicalTask(task)).digest('hex').slice(0, 32);
        const sectors = task.replicas.map((replica) => replica.sector_id);
        if (!ledger.tasks.has(id)) append({ task: id, proof: proofOf(sectors, task.seed).toString('base64') });
        return view(id);
      },
      get: async (id) => (ledger.tasks.has(id) ? view(id) : null),
      cancel: async () => {},
      refuse: async () => false,
    },
    verifier: {
      async verify({ sectors, seed, proof }) {
        const chunks = chunkUnion(
          sectors.map((sector) => sector.sectorId),
          SECTORS_EACH,
        );
        const wanted = Buffer.concat(chunks.map((chunk) => proofOf(chunk, seed)));
        return wanted.equals(proof) ? { valid: true, reason: null } : { valid: false, reason: 'another proof' };
      },
      verifyTask: () => Promise.reject(new Error('nobody asks for this')),
      close: async () => {},
    },
    checker: {
      check: async ({ sectors }) =>
        sectors.map(({ number }) => ({
          number,
          verdict: 'good',
          store: 'a',
          sealedFile: `/s/${number}`,
          cacheDir: `/c/${number}`,
        })),
    },
    rehearser: { faults: async () => new Map() },
    onIntent: () => sending.wake(),
  },
  {
    miner: {
      minerId,
      address: idAddress(minerId),
      sender: idAddress(minerId),
      challengeConfidence: 2,
      submitConfidence: 1,
      messageConfidence: CONFIDENCE,
      maxPartitions: 3,
      maxSkipShare: 0.2,
      parallel: true,
      maxFee: 10n ** 17n,
      maxRecoveryFee: 10n ** 17n,
      firstRunGate: false,
      maxRecoverSectors: 0,
      maxPartitionsPerRecovery: 0,
    },
  },
);

// A head comes when the one before has been dealt with: a slow machine is no late one.
const isFinished = async () => {
  const { rows } = await sql<{ finished_at: number | null }>`
    SELECT finished_at FROM post_runs WHERE miner_id = ${minerId} AND deadline = ${DEADLINE.index}`.execute(
    opened.kysely,
  );
  return (rows[0]?.finished_at ?? null) !== null;
};
const settled = async () => {
  for (let before = -1; before !== statements; ) {
    before = statements;
    await systemClock.sleep(HEAD_MS);
  }
};
// Most epochs are like the one before.
const nextHead = (height: number) => {
  if (height > DEADLINE.challenge + 6 && height < DEADLINE.open - 2) return DEADLINE.open - 2;
  return height > DEADLINE.open + 12 && height < DEADLINE.close - 5 ? DEADLINE.close - 5 : height + 1;
};
const end = DEADLINE.close + CONFIDENCE + 8;
let finished = false;
while (ledger.height < end || (!finished && ledger.height < end + LATE_HEADS)) {
  const head = nextHead(ledger.height);
  append({ head });
  poster.onHead(tipSetAt(head));
  sending.wake();
  await settled();
  finished = ledger.height >= end && (await isFinished());
}
await poster.close();
await sending.close();
process.stdout.write(`${JSON.stringify({ statements, finished })}\n`);
await opened.close();
process.exit(0);
