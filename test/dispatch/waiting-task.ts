import type { UnfinishedTask } from '../../src/queue/list-unfinished.ts';

export function waitingTask(id: string, more: Partial<UnfinishedTask> = {}): UnfinishedTask {
  return {
    id,
    minerId: 1,
    proofType: 'StackedDrgWindow2KiBV1_2',
    sectorCount: 2,
    stores: null,
    closeAt: 5_000,
    queuedAt: 10,
    retryAt: 0,
    retryElsewhere: false,
    lastAttempt: 0,
    lastSlave: null,
    live: [],
    ...more,
  };
}
