import { expect, test } from 'vitest';
import { ServiceManager } from '../../src/cli/service-manager.ts';
import { systemClock } from '../../src/clock/system-clock.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { notifySocket } from './notify-socket.ts';

const components = { clock: systemClock, logger: silentLogger };

test('systemd hears that the program is ready, that it lives, and that it stops', async () => {
  const { path, said } = await notifySocket();
  const stopping = new AbortController();
  const env: NodeJS.ProcessEnv = {
    NOTIFY_SOCKET: path,
    WATCHDOG_USEC: '90000',
    WATCHDOG_PID: `${process.pid}`,
    KEPT: '1',
  };
  const service = new ServiceManager(env);
  expect(env).toEqual({ KEPT: '1' });
  service.ready(components, stopping.signal);
  expect(await said.next()).toBe('READY=1');
  expect(await said.next()).toBe('WATCHDOG=1');
  expect(await said.next()).toBe('WATCHDOG=1');
  stopping.abort();
  expect(await said.until((line) => line !== 'WATCHDOG=1')).toBe('STOPPING=1');
});

test('a watchdog that is meant for another process is not fed', async () => {
  const { path, said } = await notifySocket();
  const stopping = new AbortController();
  new ServiceManager({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }).ready(
    components,
    stopping.signal,
  );
  expect(await said.next()).toBe('READY=1');
  stopping.abort();
  expect(await said.next()).toBe('STOPPING=1');
});

test('without systemd nothing is said', () => {
  new ServiceManager({}).ready(components, new AbortController().signal);
});
