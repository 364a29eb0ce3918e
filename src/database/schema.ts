import type { LeadershipTable, MastersTable, ProvingSeedsTable, SlavesTable } from './tables/cluster.ts';
import type { SchemaMigrationsTable } from './tables/migrations.ts';
import type { MessagesTable, MessageVersionsTable } from './tables/outbox.ts';
import type { PostPartitionsTable, PostRunsTable, RecoveriesTable } from './tables/poster.ts';
import type { TaskAttemptsTable, TaskDetailsTable } from './tables/queue.ts';
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
  slaves: SlavesTable;
  proving_seeds: ProvingSeedsTable;
}
