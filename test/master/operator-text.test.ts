import { beforeEach, expect, test, vi } from 'vitest';
import type { SlaveReport, TaskReport, TaskSummary } from '../../src/rpc/methods.ts';

const NOW = 1_800_000_000_000;

// Formats are made when the module is read, in the zone of whoever runs it.
beforeEach(() => {
  vi.stubEnv('TZ', 'UTC');
  vi.resetModules();
});

const running: TaskSummary = {
  id: '0123456789abcdef0123456789abcdef',
  state: 'running',
  minerId: 1447,
  sectors: 2349,
  closeAt: NOW + 754_000,
  createdAt: NOW - 200_000,
  startedAt: NOW - 192_000,
  finishedAt: null,
  attempts: 1,
  slave: 'gpu-1',
  phase: 'reading',
  done: 1200,
  total: 2349,
  error: null,
};
const failed: TaskSummary = {
  ...running,
  id: 'fedcba9876543210fedcba9876543210',
  state: 'failed',
  closeAt: null,
  finishedAt: NOW - 100_000,
  attempts: 3,
  error: 'the parameters\ncannot be read from /var/tmp/filecoin-proof-parameters: no such file or directory',
};
const stranger: TaskSummary = {
  ...running,
  id: 'by-hand',
  state: 'waiting',
  minerId: null,
  sectors: null,
  closeAt: NOW - 61_000,
  startedAt: null,
  attempts: 0,
  slave: null,
  phase: null,
};

test('a list of tasks', async () => {
  const { taskList } = await import('../../src/programs/master/operator/task-text.ts');
  expect(`\n${taskList([running, failed, stranger], NOW)}\n`).toMatchInlineSnapshot(`
    "
    ID            STATE    MINER   SECTORS  CREATED              TOOK   TRIES  SLAVE  PROGRESS           CLOSES     ERROR
    0123456789ab  running  f01447  2349     2027-01-15 07:56:40  3m12s      1  gpu-1  reading 1200/2349  in 12m34s
    fedcba987654  failed   f01447  2349     2027-01-15 07:56:40  1m32s      3  gpu-1  -                  -          the parameters cannot be read from /var/tmp/filecoin-proof-…
    by-hand       waiting  -       -        2027-01-15 07:56:40  3m20s      0  -      -                  1m01s ago
    "
  `);
  expect(taskList([], NOW)).toBe('no tasks');
});

test('one task with its attempts', async () => {
  const { taskReport } = await import('../../src/programs/master/operator/task-text.ts');
  const attempt = { slave: 'gpu-1', phase: 'proving', done: 40, total: 0, heartbeatAt: NOW - 3_000 };
  const report: TaskReport = {
    ...running,
    retryCount: 1,
    output: null,
    archived: false,
    proofType: 'StackedDrgWindow32GiBV1_2',
    history: [
      {
        ...attempt,
        attempt: 1,
        startedAt: NOW - 500_000,
        endedAt: NOW - 192_000,
        outcome: 'failed',
        reason: 'out of memory',
      },
      { ...attempt, attempt: 2, startedAt: NOW - 192_000, endedAt: null, outcome: null, reason: null },
    ],
  };
  expect(`\n${taskReport(report, NOW)}\n`).toMatchInlineSnapshot(`
    "
    id          0123456789abcdef0123456789abcdef
    state       running
    miner       f01447
    proof type  StackedDrgWindow32GiBV1_2
    sectors     2349
    created     2027-01-15 07:56:40
    started     2027-01-15 07:56:48
    finished    -
    took        3m12s
    closes      2027-01-15 08:12:34, in 12m34s
    failures    1
    slave       gpu-1
    error       -

    ATTEMPT  SLAVE  STARTED              TOOK   OUTCOME  REASON
          1  gpu-1  2027-01-15 07:51:40  5m08s  failed   out of memory
          2  gpu-1  2027-01-15 07:56:48  3m12s  proving  heard of 3s ago
    "
  `);
});

test('a list of slaves', async () => {
  const { slaveList } = await import('../../src/programs/master/operator/slave-text.ts');
  const slave: SlaveReport = {
    name: 'gpu-1',
    state: 'ready',
    remote: '192.0.2.1:40122',
    version: 2,
    slots: 2,
    busy: 1,
    sectorSize: null,
    joinedAt: NOW - 7_200_000,
    leftAt: null,
    heldUntil: null,
  };
  const slaves: SlaveReport[] = [
    slave,
    { ...slave, name: 'gpu-2', state: 'draining', sectorSize: 34_359_738_368 },
    { ...slave, name: 'gpu-3', state: 'away', busy: 0, leftAt: NOW - 65_000 },
    { ...slave, name: 'gpu-4', state: 'held back', heldUntil: NOW + 59_000, sectorSize: 2_048 },
  ];
  expect(`\n${slaveList(slaves, NOW)}\n`).toMatchInlineSnapshot(`
    "
    NAME   STATE                  SLOTS  BUSY  SECTORS  SINCE                ADDRESS
    gpu-1  ready                      2     1  any      2027-01-15 06:00:00  192.0.2.1:40122
    gpu-2  draining (1 running)       2     1  32 GiB   2027-01-15 06:00:00  192.0.2.1:40122
    gpu-3  away (left 1m05s ago)      2     0  any      2027-01-15 06:00:00  192.0.2.1:40122
    gpu-4  held back (in 59s)         2     1  2 KiB    2027-01-15 06:00:00  192.0.2.1:40122
    "
  `);
});
