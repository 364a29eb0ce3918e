import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadManagerConfig } from '../../src/config/manager-file.ts';
import { storeAlarms } from '../../src/programs/sector-manager/store-alarms.ts';
import { StoreReload } from '../../src/programs/sector-manager/store-reload.ts';
import type { PersistStore } from '../../src/stores/persist-store.ts';
import { RecordedAlerts } from '../support/alerts.ts';
import { silentLogger } from '../support/silent-logger.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-reload-'));
  file = join(folder, 'sector-manager.cfg');
});
afterEach(() => rm(folder, { recursive: true }));

const storeText = (name: string, more = '') =>
  `[[Common.PersistStores]]\nName = "${name}"\nPath = "/mnt/${name}"\n${more}\n`;

/** A daemon that has the stores of `text`. */
async function daemonWith(text: string) {
  await writeFile(file, text);
  const { config } = await loadManagerConfig(file);
  const checker = {
    stores: config.common.persistStores as readonly PersistStore[],
    reloads: 0,
    reload(stores: readonly PersistStore[]) {
      this.stores = stores;
      this.reloads++;
    },
  };
  const said: string[] = [];
  const tell = (data: { reason?: string } | string, message = data) => said.push(`${message} ${JSON.stringify(data)}`);
  const logger = Object.assign(Object.create(silentLogger), { info: tell, warn: tell, error: tell });
  let warnings: string[] = [];
  const reload = new StoreReload(
    { logger, checker },
    { file, config, storesOf: async ({ common }) => ({ stores: common.persistStores, warnings }) },
  );
  return {
    checker,
    said,
    warn: (text: string) => {
      warnings = [text];
    },
    async reload(changed: string) {
      await writeFile(file, changed);
      await reload.run();
      return checker.stores.map(({ name }) => name);
    },
  };
}

test('stores come, change and go', async () => {
  const daemon = await daemonWith(storeText('a') + storeText('b'));
  expect(await daemon.reload(storeText('b', 'AllowMiners = [1000]') + storeText('c'))).toEqual(['b', 'c']);
  expect(daemon.checker.stores[0]).toMatchObject({ allowMiners: [1000] });
  expect(daemon.said).toEqual(['stores reloaded {"added":["c"],"changed":["b"],"removed":["a"]}']);
});

test.each([
  ['is no TOML', '[[Common.PersistStores'],
  ['gives two stores one name', storeText('a') + storeText('a')],
  ['names no store any more', '[Common]\n'],
])('a file that %s changes nothing, and is said to be refused', async (_, text) => {
  const daemon = await daemonWith(storeText('a'));
  expect(await daemon.reload(text)).toEqual(['a']);
  expect(daemon.checker.reloads).toBe(0);
  expect(daemon.said).toEqual([expect.stringContaining('reload refused, the stores stay as they were')]);
  expect(await daemon.reload(storeText('a') + storeText('b'))).toEqual(['a', 'b']);
});

test('a store that is left out since it cannot be read now stays', async () => {
  const daemon = await daemonWith(storeText('a') + storeText('b'));
  daemon.warn('the store /mnt/b is left out');
  expect(await daemon.reload(storeText('a') + storeText('c'))).toEqual(['a', 'c', 'b']);
});

test('a store that a glob led to and does not now stays, and is named', async () => {
  const daemon = await daemonWith(storeText('a'));
  const [a] = daemon.checker.stores;
  if (a === undefined) throw new Error('no store');
  daemon.checker.stores = [a, { ...a, name: 'scanned', path: '/mnt/scanned' }];
  expect(await daemon.reload(storeText('a'))).toEqual(['a', 'scanned']);
  expect(daemon.said[0]).toContain('it is kept until the next start {"store":"scanned","path":"/mnt/scanned"}');
});

test('other changes of the file want a restart', async () => {
  const daemon = await daemonWith(storeText('a'));
  await daemon.reload(`${storeText('a')}[[Miners]]\nActor = 1000\n`);
  expect(daemon.said.at(-1)).toContain('only the stores were reloaded');
});

test('SIGHUP and SIGUSR1 reload, and neither ends the program nor opens its debugger', async () => {
  const module = new URL('../../dist/cli/on-reload.js', import.meta.url).href;
  const script = `import { onReload } from ${JSON.stringify(module)};
    onReload(() => console.log('reload')); console.log('ready'); setInterval(() => {}, 1000);`;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  try {
    if (child.stdout === null) throw new Error('no output');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('ready');
    for (const signal of ['SIGHUP', 'SIGUSR1'] as const) {
      child.kill(signal);
      expect((await lines.next()).value).toBe('reload');
    }
    expect(errors).toBe('');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

test('a store in trouble is an alert until it is not', () => {
  const alerts = new RecordedAlerts();
  const onLook = storeAlarms(alerts);
  const store = {
    name: 'a',
    path: '/mnt/a',
    strict: false,
    readOnly: false,
    weight: 1,
    allowMiners: [],
    denyMiners: [],
  };
  onLook({ store, trouble: 'it hangs', answerMs: undefined, abandoned: 1 });
  expect(alerts.open.get('store-away/a')).toMatchObject({
    class: 'store-away',
    severity: 'critical',
    text: 'store a at /mnt/a: it hangs; its sectors count as unknown until it is back: see its server, network and mount',
  });
  onLook({ store, trouble: undefined, answerMs: 3, abandoned: 0 });
  expect(alerts.open.size).toBe(0);
});
