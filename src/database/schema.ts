import type { ChainNetworkTable, DisputeWatchTable } from './tables/chain.ts';
import type { LeadershipTable, MastersTable, ProvingSeedsTable, SlavesTable } from './tables/cluster.ts';
import type { AlertsTable } from './tables/manager.ts';
import type { SchemaMigrationsTable } from './tables/migrations.ts';
import type { MessagesTable, MessageVersionsTable } from './tables/outbox.ts';
import type { PostPartitionsTable, PostRunsTable, RecoveriesTable } from './tables/poster.ts';
import type { FirstRunGatesTable, RecoveryWindowsTable, ShadowMessagesTable } from './tables/proving.ts';
import type { TaskAttemptsTable, TaskDetailsTable } from './tables/queue.ts';
import type { StoreReconciliationsTable } from './tables/reconciler.ts';
import type { StoreFindingsTable, StoreSectorsTable, StoresTable } from './tables/stores.ts';
import type { TasksTable } from './tables/tasks.ts';

/** All tables, as sql/ makes them. */
export interface Schema {
  schema_migrations: SchemaMigrationsTable;
  tasks: TasksTable;
  tasks_archived: TasksTable;
  task_details: TaskDetailsTable;
  task_attempts: TaskAttemptsTable;
  post_runs: PostRunsTable;
  post_partitions: PostPartitionsTable;
  recoveries: RecoveriesTable;
  messages: MessagesTable;
  message_versions: MessageVersionsTable;
  leadership: LeadershipTable;
  masters: MastersTable;
  managers: MastersTable;
  alerts: AlertsTable;
  slaves: SlavesTable;
  proving_seeds: ProvingSeedsTable;
  first_run_gates: FirstRunGatesTable;
  recovery_windows: RecoveryWindowsTable;
  shadow_messages: ShadowMessagesTable;
  chain_network: ChainNetworkTable;
  dispute_watch: DisputeWatchTable;
  stores: StoresTable;
  store_sectors: StoreSectorsTable;
  store_findings: StoreFindingsTable;
  store_reconciliations: StoreReconciliationsTable;
}

const NAMES = {
  schema_migrations: true,
  tasks: true,
  tasks_archived: true,
  task_details: true,
  task_attempts: true,
  post_runs: true,
  post_partitions: true,
  recoveries: true,
  messages: true,
  message_versions: true,
  leadership: true,
  masters: true,
  managers: true,
  alerts: true,
  slaves: true,
  proving_seeds: true,
  first_run_gates: true,
  recovery_windows: true,
  shadow_messages: true,
  chain_network: true,
  dispute_watch: true,
  stores: true,
  store_sectors: true,
  store_findings: true,
  store_reconciliations: true,
} satisfies Record<keyof Schema, true>;

export function isOurTable(name: string): boolean {
  return Object.hasOwn(NAMES, name.toLowerCase());
}
