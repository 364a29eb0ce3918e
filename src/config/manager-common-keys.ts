import { databaseUrls } from './database-url.ts';
import { duration } from './duration.ts';
import { endpoint } from './endpoint.ts';
import {
  absolutePath,
  count,
  flag,
  listenAddress,
  listOf,
  minerId,
  oneOf,
  oneOrMore,
  secretText,
  serverAddress,
  text,
  textTable,
  webUrl,
} from './kinds.ts';
import { key, list, optionalKey, section, unusedKey } from './table.ts';

const DATABASE = 'all state is in one MySQL database, that of the master (docs/database.md)';
const DEALS = 'this version handles no deals';
const CHECKS = 'a store that is silent for seconds counts as hung and costs its own sectors only (docs/storage.md)';
const STRICT = 'always as if true: only regular files of the right size count';
const READ_ONLY = 'always as if true: no program writes to a store';
const SEALING = 'this version seals no sectors';

const mongo = {
  enable: unusedKey('Enable', flag, DATABASE, false),
  dsn: unusedKey('DSN', secretText, DATABASE),
  databaseName: unusedKey('DatabaseName', text, DATABASE),
} as const;

/** [Common] of sector-manager.cfg. */
export const commonKeys = {
  api: section('API', 'The services of the chain', {
    chain: optionalKey('Chain', oneOrMore(endpoint), {
      example: '/ip4/127.0.0.1/tcp/1234/ws',
      about:
        'The chain node (Lotus JSON-RPC v1), or a list: the first that is up to date is used, the others stand by; by default the first Gateway',
      otherwise: 'the first Gateway',
    }),
    messager: optionalKey('Messager', endpoint, {
      example: '/ip4/127.0.0.1/tcp/39812',
      about: 'A venus-messager, which then sends the messages and holds the keys of the senders',
    }),
    carrier: optionalKey('Carrier', oneOf('own', 'node', 'messager'), {
      example: 'own',
      about:
        "Who gives the messages their nonces: 'own' this manager, whose senders nobody else may use; 'node' the chain node " +
        "(MpoolPushMessage); 'messager'. By default the messager where one is named, else this manager (docs/messages.md)",
    }),
    market: unusedKey('Market', endpoint, DEALS),
    gateway: key('Gateway', listOf(endpoint), {
      default: [],
      example: ['/ip4/127.0.0.1/tcp/45132/ws'],
      about: 'Gateways, asked for winning proofs (docs/winning.md) and used where a service has no entry of its own',
    }),
    token: optionalKey('Token', secretText, {
      example: '<jwt>',
      about: "Token for services whose entry has none ('token:address')",
    }),
    chainEventIntervalMs: key('ChainEventInterval', duration, {
      default: '1m0s',
      about: 'Longest wait for the next head before the node is asked for it',
    }),
  }),
  cluster: section(
    'Cluster',
    'Database and master of the cluster. Where absent: those of the ext-prover file, else embedded ones',
    {
      database: optionalKey('Database', databaseUrls, {
        example: 'mysql://root:password@localhost/wdpost',
        about: 'mysql://user:password@host:port/database, or a list as db.url of the master',
      }),
      master: optionalKey('Master', oneOrMore(serverAddress), {
        example: '192.168.200.113:4698',
        about: 'Address of the master',
      }),
      tokenFile: optionalKey('TokenFile', text, {
        example: '/etc/wdpost/token',
        about: 'File with the token for the master; the environment variable WDPOST_TOKEN does as well',
      }),
      tlsCa: optionalKey('TLSCA', text, {
        example: '/etc/wdpost/ca.crt',
        about:
          'Certificates in PEM of the authorities that the master is trusted by; with it a Master without a scheme means wss://',
      }),
      tlsCert: optionalKey('TLSCert', text, {
        example: '/etc/wdpost/manager.crt',
        about: 'Certificate in PEM that is shown to the master',
      }),
      tlsKey: optionalKey('TLSKey', text, {
        example: '/etc/wdpost/manager.key',
        about: 'Private key of TLSCert in PEM',
      }),
    },
  ),
  alerts: section('Alerts', 'Who is told of trouble; the log and the metrics always are', {
    webhook: optionalKey('Webhook', webUrl, {
      example: 'https://alerts.example/wdpost',
      about: 'URL to which each alert is sent by POST as JSON (docs/alerts.md)',
    }),
    repeatIntervalMs: key('RepeatInterval', duration, {
      default: '1h',
      about: 'An alert that lasts is sent again after this time',
    }),
  }),
  metrics: section('Metrics', 'What Prometheus reads at /metrics (docs/alerts.md)', {
    listen: optionalKey('Listen', listenAddress, {
      example: '127.0.0.1:4697',
      about: 'Address to listen on; where absent nothing is served',
    }),
    tokenFile: optionalKey('TokenFile', text, {
      example: '/etc/wdpost/metrics-tokens',
      about: 'File with lines `read <token>`, asked as bearer token; outside loopback one is needed',
    }),
    insecure: key('Insecure', flag, { default: false, about: 'Listen outside loopback without any token' }),
  }),
  scanPersistStores: key('ScanPersistStores', listOf(absolutePath), {
    default: [],
    example: ['/mnt/stores/*'],
    about:
      'Folders, with * and ?: each one with a sectorstore.json is a store, as if listed in [[Common.PersistStores]]',
  }),
  plugins: section('Plugins', 'Plug-ins', { dir: unusedKey('Dir', text, 'there are no plug-ins') }),
  pieceStores: list('PieceStores', 'Stores of deal data', {
    name: unusedKey('Name', text, DEALS),
    path: unusedKey('Path', text, DEALS),
    meta: unusedKey('Meta', textTable, DEALS, {}),
    readOnly: unusedKey('ReadOnly', flag, DEALS, false),
    plugin: { ...unusedKey('Plugin', text, DEALS), aliases: ['PluginName'] },
  }),
  persistStores: list('PersistStores', 'A store of sealed sectors', {
    name: optionalKey('Name', text, {
      example: 'storage1',
      about: 'Name of the store; by default its path',
      otherwise: 'the path',
    }),
    path: optionalKey('Path', text, {
      example: '/mnt/mount/nfs/0.0.0.0',
      about: 'The folder that holds sealed/ and cache/; an entry without it is ignored',
    }),
    strict: { ...key('Strict', flag, { default: true, about: `Not applicable: ${STRICT}` }), notApplicable: STRICT },
    readOnly: {
      ...key('ReadOnly', flag, { default: true, about: `Not applicable: ${READ_ONLY}` }),
      notApplicable: READ_ONLY,
    },
    growing: key('Growing', flag, {
      default: false,
      about:
        'New sectors come to it: its folders are listed every 10 minutes or less often, and what is new is indexed',
    }),
    weight: {
      ...key('Weight', count, { default: 0, zeroMeans: 1, about: `Share of new sectors; not applicable: ${SEALING}` }),
      notApplicable: SEALING,
    },
    allowMiners: key('AllowMiners', listOf(minerId), {
      default: [],
      example: [1008],
      about: 'Only these miners have sectors there; none written: all',
    }),
    denyMiners: key('DenyMiners', listOf(minerId), {
      default: [],
      example: [3, 4],
      about: 'These miners have no sectors there; counts before AllowMiners',
    }),
    meta: unusedKey('Meta', textTable, 'it was for plug-ins, and there are none', {}),
    plugin: {
      ...unusedKey('Plugin', text, 'there are no plug-ins, so an entry with one is ignored'),
      aliases: ['PluginName'],
    },
  }),
  mongoKvStore: section('MongoKVStore', 'Database of older versions', mongo),
  db: section('DB', 'Database of newer versions', {
    driver: unusedKey('Driver', text, DATABASE),
    badger: section('Badger', 'Badger', { baseDir: unusedKey('BaseDir', text, DATABASE) }),
    mongo: section('Mongo', 'MongoDB', mongo),
    plugin: section('Plugin', 'Plug-in', {
      pluginName: unusedKey('PluginName', text, DATABASE),
      meta: unusedKey('Meta', textTable, DATABASE, {}),
    }),
  }),
  proving: section('Proving', 'Checks of sector files', {
    parallelCheckLimit: unusedKey('ParallelCheckLimit', count, CHECKS, 128),
    singleCheckTimeout: unusedKey('SingleCheckTimeout', duration, CHECKS, '10m0s'),
    partitionCheckTimeout: unusedKey('PartitionCheckTimeout', duration, CHECKS, '20m0s'),
    workerProver: section('WorkerProver', 'Proving by workers', {
      jobMaxTry: unusedKey('JobMaxTry', count, 'see max_retry of the master', 2),
      heartbeatTimeout: unusedKey('HeartbeatTimeout', duration, 'see heartbeat_timeout of the master', '15s'),
      jobLifetime: unusedKey('JobLifetime', duration, 'see should_archive of the master', '25h0m0s'),
    }),
  }),
} as const;
