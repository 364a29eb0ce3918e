/**
 * What workers of the system this one replaces ask their manager for (core/api.go, SealerAPI, and the calls of its prover in workers).
 * All of it belongs to making sectors or to its own prover, which are not here.
 */
export const refusedCalls: readonly string[] = [
  'AllocateSector',
  'AcquireDeals',
  'AssignTicket',
  'SubmitPreCommit',
  'PollPreCommitState',
  'SubmitPersisted',
  'SubmitPersistedEx',
  'WaitSeed',
  'SubmitProof',
  'PollProofState',
  'ReportState',
  'ReportFinalized',
  'ReportAborted',
  'AllocateSanpUpSector',
  'SubmitSnapUpProof',
  'AllocateRebuildSector',
  'AllocateUnsealSector',
  'AchieveUnsealSector',
  'AcquireUnsealDest',
  'WorkerPing',
  'StoreReserveSpace',
  'StoreBasicInfo',
  'WdPoStAllocateJobs',
  'WdPoStHeartbeatJobs',
  'WdPoStFinishJob',
];
