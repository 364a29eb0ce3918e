import { databaseUrl } from './database-url.ts';
import { duration } from './duration.ts';
import { count, flag, listenAddress, positiveCount, text } from './kinds.ts';
import { type Loaded, loadFile } from './load-file.ts';
import { type FileTable, key, optionalKey, section, type Values } from './table.ts';

const fields = {
  server: section('server', 'The RPC server for slaves and managers', {
    listen: key('listen', listenAddress, { default: '0.0.0.0:4698', about: 'Address to listen on' }),
    maxConnections: key('max_connections', positiveCount, { default: 200, about: 'Connections at the same time' }),
    tokenFile: optionalKey('token_file', text, {
      example: '/etc/wdpost/tokens',
      about:
        'File with lines `<scope[,scope]> <token>`, scopes slave, submit, admin, read. The environment variable WDPOST_TOKEN holds one more, with all scopes',
    }),
    insecure: key('insecure', flag, { default: false, about: 'Listen outside loopback without any token' }),
  }),
  db: section('db', 'The MySQL or MariaDB database', {
    url: key('url', databaseUrl, {
      required: true,
      example: 'mysql://root:password@localhost/wdpost',
      about: 'mysql://user:password@host:port/database',
    }),
    minConnections: key('min_connections', count, { default: 3, about: 'Connections kept open' }),
    maxConnections: key('max_connections', positiveCount, { default: 20, about: 'Connections at the same time' }),
    idleTimeoutMs: key('idle_timeout', duration, {
      default: '10m',
      about: 'An idle connection is closed after this time',
    }),
  }),
  task: section('task', 'Proving tasks', {
    timeoutMs: key('timeout', duration, {
      default: '5m',
      about: 'An attempt without progress is ended after this time',
    }),
    maxRetry: key('max_retry', count, { default: 2, about: 'Retries of a failed task that has no deadline' }),
    heartbeatTimeoutMs: key('heartbeat_timeout', duration, {
      default: '15s',
      about: 'A slave that is silent for this time has lost its attempts',
    }),
    retryJobIntervalMs: key('retry_job_interval', duration, {
      default: '10s',
      about: 'Pause before a failed task is tried again',
    }),
    archiveJobIntervalMs: key('archive_job_interval', duration, {
      default: '1h',
      about: 'Finished tasks are looked through for archiving at this interval',
    }),
    shouldArchiveMs: key('should_archive', duration, {
      default: '2days',
      about: 'Tasks finished longer ago than this are moved to tasks_archived',
    }),
  }),
} as const;

export const masterFile: FileTable<typeof fields> = {
  name: 'wdpost_master.toml',
  about: 'wdpost-master-daemon -c wdpost_master.toml',
  fields,
  commentDefaults: false,
};

export type MasterConfig = Values<typeof fields>;

/** @throws CodedError as `loadFile` */
export function loadMasterConfig(path: string): Promise<Loaded<MasterConfig>> {
  return loadFile(masterFile, path);
}
