import { byteCount } from './byte-count.ts';
import { duration } from './duration.ts';
import { absolutePath, listOf, oneOrMore, positiveCount, serverAddress, text } from './kinds.ts';
import { type Loaded, loadFile } from './load-file.ts';
import { type FileTable, key, list, optionalKey, section, type Values } from './table.ts';

const fields = {
  master: section('master', 'The master this slave works for', {
    serverAddr: key('server_addr', oneOrMore(serverAddress), {
      required: true,
      example: '192.168.200.113:4698',
      about: 'Address of the master; of several, the one that leads is used',
    }),
    reconnectIntervalMs: key('reconnect_interval', duration, {
      default: '3s',
      about: 'Pause before a lost connection is made again',
    }),
    heartbeatIntervalMs: key('heartbeat_interval', duration, {
      default: '5s',
      about: 'Progress is reported at this interval',
    }),
    tokenFile: optionalKey('token_file', text, {
      example: '/etc/wdpost/token',
      about: 'File with the token for the master; the environment variable WDPOST_TOKEN does as well',
    }),
    tlsCa: optionalKey('tls_ca', text, {
      example: '/etc/wdpost/ca.crt',
      about:
        'Certificates in PEM of the authorities that the master is trusted by; with it a server_addr without a scheme means wss://',
    }),
    tlsCert: optionalKey('tls_cert', text, {
      example: '/etc/wdpost/slave.crt',
      about: 'Certificate in PEM that is shown to the master',
    }),
    tlsKey: optionalKey('tls_key', text, {
      example: '/etc/wdpost/slave.key',
      about: 'Private key of tls_cert in PEM',
    }),
  }),
  slave: section('slave', 'This slave', {
    concurrent: key('concurrent', positiveCount, { default: 1, about: 'Tasks at the same time' }),
    pullIntervalMs: key('pull_interval', duration, {
      default: '5s',
      about: 'Free slots are announced again at this interval',
    }),
    name: optionalKey('name', text, {
      example: 'gpu-host-1-0',
      about:
        'Name in the tasks table; by default the host name with CUDA_VISIBLE_DEVICES, or where that is not set with the process number, which changes at each start: then name it',
    }),
    memoryPerProof: optionalKey('memory_per_proof', byteCount, {
      example: '72GiB',
      about:
        'Memory of the host that one SNARK needs. The provers of all slaves of a host start theirs one after another where it is not enough; 0 starts at once. By default 72GiB for 32GiB sectors and 76GiB for 64GiB (see docs/prover.md)',
    }),
    stores: optionalKey('stores', listOf(absolutePath), {
      example: ['/mnt/store1', '/mnt/store2'],
      about:
        'Directories whose sectors this slave can read, beside [[attached]]: it gets no others, and reads none elsewhere. By default any',
    }),
  }),
  attached: list('attached', 'A persist store of the manager that this host has at another path', {
    name: key('Name', text, { required: true, example: 'storage1', about: 'Its name in [[Common.PersistStores]]' }),
    location: key('Location', absolutePath, {
      required: true,
      example: '/mnt/local/storage1',
      about:
        'The folder on this host that holds sealed/ and cache/. Stores that are not named here have the same path as there',
    }),
  }),
} as const;

export const slaveFile: FileTable<typeof fields> = {
  name: 'slave.toml',
  about: 'wdpost-slave-daemon -c slave.toml',
  fields,
  commentDefaults: false,
};

export type SlaveConfig = Values<typeof fields>;

/** @throws CodedError as `loadFile` */
export function loadSlaveConfig(path: string): Promise<Loaded<SlaveConfig>> {
  return loadFile(slaveFile, path);
}
