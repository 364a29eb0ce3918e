export interface SchemaMigrationsTable {
  name: string;
  sha256: string;
  /** Milliseconds since 1970. */
  applied_at: number;
}
