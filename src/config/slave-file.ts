import { duration } from './duration.ts';
import { oneOrMore, positiveCount, serverAddress, text } from './kinds.ts';
import { type Loaded, loadFile } from './load-file.ts';
import { type FileTable, key, optionalKey, section, type Values } from './table.ts';

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
  }),
  slave: section('slave', 'This slave', {
    concurrent: key('concurrent', positiveCount, { default: 1, about: 'Tasks at the same time' }),
    pullIntervalMs: key('pull_interval', duration, {
      default: '5s',
      about: 'Free slots are announced again at this interval',
    }),
    name: optionalKey('name', text, {
      example: 'gpu-host-1-0',
      about: 'Name in the tasks table; by default made of the host name',
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
