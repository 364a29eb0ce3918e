import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { masterHandlers } from '../../src/programs/master/handlers.ts';
import type { Reign } from '../../src/programs/master/reign.ts';
import { Submitters } from '../../src/programs/master/submitters.ts';
import type { TaskView } from '../../src/rpc/methods.ts';
import type { RpcPeer } from '../../src/rpc/peer-session.ts';

test('a task that ends between the look at it and the promise to tell of its end is answered with its end', async () => {
  const running = { id: 'task', state: 'running', finishedAt: null } as TaskView;
  const proven = { ...running, state: 'proven', finishedAt: 5 } as const;
  // Finished: the board knows nothing of it any more.
  const leader = { submit: async () => running, get: async () => proven, dispatcher: { get: () => undefined } };
  const submitters = new Submitters({ clock: systemClock });
  const reign = { isOver: false, leader, submitters, add: () => {} } as unknown as Reign;
  const handlers = masterHandlers({
    name: 'm',
    heartbeatTimeoutMs: 1,
    reign: async () => reign,
    leader: () => undefined,
  });
  const hello = { version: 2, role: 'submitter', name: 'manager' } as const;
  const peer = { hello, remote: '', connection: { closed: new Promise(() => {}) } } as unknown as RpcPeer;
  await handlers.hello(hello, peer);
  expect(await handlers['task.submit']({ closeAt: null }, peer, Buffer.of())).toMatchObject({ state: 'proven' });
});
