import { databaseUrls } from './database-url.ts';
import { duration, durationOrZero } from './duration.ts';
import { count, flag, hostAndPort, listenAddress, positiveCount, text } from './kinds.ts';
import { type Loaded, loadFile } from './load-file.ts';
import { type FileTable, key, optionalKey, section, type Values } from './table.ts';

const fields = {
  server: section('server', 'The RPC server for slaves and managers', {
    listen: key('listen', listenAddress, { default: '0.0.0.0:4698', about: 'Address to listen on' }),
    advertise: optionalKey('advertise', hostAndPort, {
      example: '192.168.200.113:4698',
      about:
        'Address at which slaves and managers reach this master, told to them by the others; by default the host name and the port',
    }),
    maxConnections: key('max_connections', positiveCount, { default: 200, about: 'Connections at the same time' }),
    tokenFile: optionalKey('token_file', text, {
      example: '/etc/wdpost/tokens',
      about:
        'File with lines `<scope[,scope]> <token>`, scopes slave, submit, admin, read. The environment variable WDPOST_TOKEN holds one more, with all scopes',
    }),
    tlsCert: optionalKey('tls_cert', text, {
      example: '/etc/wdpost/master.crt',
      about: 'Certificate chain in PEM; with it and tls_key the listener speaks wss:// only',
    }),
    tlsKey: optionalKey('tls_key', text, {
      example: '/etc/wdpost/master.key',
      about: 'Private key of tls_cert in PEM',
    }),
    tlsClientCa: optionalKey('tls_client_ca', text, {
      example: '/etc/wdpost/ca.crt',
      about: 'Certificates of authorities in PEM; a client with a certificate of theirs needs no token',
    }),
    insecure: key('insecure', flag, { default: false, about: 'Let programs of other machines in without any token' }),
  }),
  db: section('db', 'The MySQL or MariaDB database', {
    url: key('url', databaseUrls, {
      required: true,
      example: 'mysql://root:password@localhost/wdpost',
      about:
        'mysql://user:password@host:port/database, or a list of the servers of a cluster; ?ssl-ca=/file asks for TLS',
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
    retentionMs: key('retention', durationOrZero, {
      default: '30days',
      about:
        "Tasks finished longer ago than this are deleted from tasks_archived; '0s' keeps them for ever. What another system archived there is never deleted",
    }),
    assumedCloseMs: key('assumed_close', duration, {
      default: '35m',
      about: 'A request that names no end is worthless this long after its challenge was first seen',
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
