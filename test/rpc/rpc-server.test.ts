import { once } from 'node:events';
import { type IncomingHttpHeaders, IncomingMessage, request } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../src/errors/coded-error.ts';
import { admit, whyAlone } from '../../src/rpc/gatekeeper.ts';
import { RPC_VERSION, type Scope } from '../../src/rpc/methods.ts';
import { ManualClock } from './manual-clock.ts';
import { greeting, newClient, rawHello, rawPeer, startServer, view } from './rpc-world.ts';

const token = (secret: string, ...scopes: Scope[]) => ({ secret, scopes: new Set(scopes) });
const tokens = [token('right', 'submit'), token('other', 'slave')];

/** The status and body that an upgrade request is answered with. */
async function upgrade(port: number, headers: Record<string, string>): Promise<string> {
  const asking = request({
    port,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  }).end();
  const [response] = await once(asking, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return `${response.statusCode} ${body}`;
}

function arriving(remoteAddress: string, localAddress: string, headers: IncomingHttpHeaders = {}): IncomingMessage {
  const asking = new IncomingMessage(new Socket());
  Object.defineProperty(asking, 'socket', { value: { remoteAddress, localAddress } });
  asking.headers = headers;
  return asking;
}

describe('who comes in', () => {
  test.each([
    ['no token', {}, /^401 no token was shown: set token_file or WDPOST_TOKEN .*\n$/],
    ['a wrong token', { authorization: 'Bearer wrong' }, /^401 the token is not known here: .*\n$/],
    ['another scheme', { authorization: 'Basic right' }, /^401 /],
    ['a web page', { authorization: 'Bearer right', origin: 'http://evil.example' }, /^403 .*\n$/],
  ])('%s is turned away with one line', async (_name, headers, expected) => {
    const { port } = await startServer({ tokens });
    expect(await upgrade(port, headers as Record<string, string>)).toMatch(expected);
  });

  test('a plain request hears what this port is', async () => {
    const { port } = await startServer();
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, await response.text()]).toEqual([426, expect.stringContaining('WebSocket')]);
  });

  test('a token opens the methods of its scopes alone', async () => {
    const { url } = await startServer({ tokens });
    const submitter = newClient(url, { token: 'right' });
    await submitter.start();
    await expect(submitter.call('task.get', { id: 'a' })).resolves.toBeNull();
    await expect(submitter.call('slave.heartbeat', { attempts: [], free: 1 })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(newClient(url, { token: 'other' }).start()).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('an operator may look with read, and act with admin', async () => {
    const { url } = await startServer({ tokens: [token('look', 'read'), token('act', 'read', 'admin')] });
    const [looks, acts] = ['look', 'act'].map((secret) =>
      newClient(url, { token: secret, hello: () => ({ role: 'operator', name: 'o' }) }),
    );
    await Promise.all([looks?.start(), acts?.start()]);
    await expect(looks?.call('tasks.list', { limit: 1 })).resolves.toEqual([]);
    await expect(looks?.call('slaves.drain', { name: 's' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(acts?.call('slaves.drain', { name: 's' })).resolves.toBeNull();
    await expect(acts?.call('task.submit', { task: {} as never, closeAt: null })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  test('connections past max_connections hear so, and come in when one has gone', async () => {
    const { port, url } = await startServer({ maxConnections: 1 });
    const first = await rawPeer(url);
    expect(await upgrade(port, {})).toMatch(/^503 all 1 connections are taken\n$/);
    first.socket.close();
    const second = newClient(url);
    await second.start();
    await expect(second.call('task.get', { id: 'a' })).resolves.toBeNull();
  });
});

describe('hello', () => {
  test('comes first, and once', async () => {
    const { url } = await startServer();
    const peer = await rawPeer(url);
    expect((await peer.call('task.get', { id: 'a' })).error?.data.code).toBe('hello-first');
    expect((await peer.call('hello', rawHello)).result).toMatchObject({ version: 1, master: 'm' });
    expect((await peer.call('hello', rawHello)).error?.data.code).toBe('hello-twice');
    expect((await peer.call('task.get', { id: 'a' })).result).toBeNull();
  });

  test('counts once, also while the first is still being answered', async () => {
    let greetings = 0;
    let finishFirst = () => {};
    const { url } = await startServer({
      handlers: {
        async hello() {
          if (++greetings > 1) return greeting;
          await new Promise<void>((resolve) => {
            finishFirst = resolve;
          });
          return greeting;
        },
      },
    });
    const peer = await rawPeer(url);
    for (const id of [1, 2]) {
      peer.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'hello', params: rawHello }));
    }
    const [second] = await once(peer.socket, 'message');
    expect(JSON.parse(String(second))).toMatchObject({ id: 2, error: { data: { code: 'hello-twice' } } });
    finishFirst();
    const [first] = await once(peer.socket, 'message');
    expect(JSON.parse(String(first))).toMatchObject({ id: 1, result: greeting });
    expect(greetings).toBe(1);
  });

  test.each([
    [RPC_VERSION - 1, undefined],
    [RPC_VERSION + 1, undefined],
    [RPC_VERSION + 2, 'version-mismatch'],
    [RPC_VERSION - 2, 'version-mismatch'],
  ])('version %i: %s', async (version, code) => {
    const { url } = await startServer();
    const peer = await rawPeer(url);
    expect((await peer.call('hello', { ...rawHello, version })).error?.data.code).toBe(code);
  });

  test('may be said again where it failed', async () => {
    let down = true;
    const { url } = await startServer({
      handlers: {
        async hello() {
          if (down) throw new CodedError('database-unavailable', 'the database is away');
          return { version: 1, master: 'm', heartbeatTimeoutMs: 1, closed: [] };
        },
      },
    });
    const peer = await rawPeer(url);
    expect((await peer.call('hello', rawHello)).error?.data.code).toBe('database-unavailable');
    down = false;
    expect((await peer.call('hello', rawHello)).result).toBeDefined();
  });

  test('that does not come in time ends the connection', async () => {
    const clock = new ManualClock();
    const { url } = await startServer({ clock });
    const peer = await rawPeer(url);
    const closed = once(peer.socket, 'close');
    clock.advance(10_000);
    const [, reason] = await closed;
    expect(String(reason)).toBe('no hello came in time');
  });
});

describe('calls', () => {
  test('params are checked, and the field is named', async () => {
    const { url } = await startServer();
    const client = newClient(url);
    await client.start();
    await expect(client.call('task.get', { id: '' })).rejects.toMatchObject({
      code: 'bad-params',
      message: expect.stringMatching(/^task\.get: id: /),
    });
    await expect(client.call('task.get', null as never)).rejects.toMatchObject({ code: 'bad-params' });
    await expect(client.call('task.nothing' as 'task.get', { id: 'a' })).rejects.toMatchObject({
      code: 'unknown-method',
    });
  });

  test('coded errors come through, others do not tell what they hold', async () => {
    const { url } = await startServer({
      handlers: {
        'task.submit': async () => {
          throw new CodedError('bad-task', 'seed: too short');
        },
        'task.get': async () => {
          throw new Error('password');
        },
      },
    });
    const client = newClient(url);
    await client.start();
    const submission = { task: {} as never, closeAt: null };
    await expect(client.call('task.submit', submission)).rejects.toMatchObject({
      code: 'bad-task',
      message: 'seed: too short',
    });
    await expect(client.call('task.get', { id: 'a' })).rejects.toMatchObject({
      code: 'internal-error',
      message: 'internal error',
    });
  });

  test('past the rate are refused with a code, on that connection alone, until time has passed', async () => {
    const clock = new ManualClock();
    const { url } = await startServer({ clock, maxPayloadBytes: 1_000_000 });
    const [peer, neighbour] = [await rawPeer(url), await rawPeer(url)];
    const codes: string[] = [];
    const answered = new Promise<void>((resolve) => {
      peer.socket.on('message', (data) => {
        codes.push(JSON.parse(String(data)).error.data.code);
        if (codes.length === 10_001) resolve();
      });
    });
    for (let id = 1; id <= 10_001; id++) {
      peer.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'hello', params: {} }));
    }
    await answered;
    expect(codes.filter((code) => code === 'bad-params')).toHaveLength(10_000);
    expect(codes).toContain('too-many-requests');
    peer.socket.removeAllListeners('message');
    expect((await neighbour.call('hello', rawHello)).result).toBeDefined();
    expect((await peer.call('hello', rawHello)).error?.message).toBe(
      'hello: 5000 messages a second are answered on one connection: ask again later, and less often',
    );
    clock.advance(1);
    expect((await peer.call('hello', rawHello)).result).toBeDefined();
  });

  test('a message past the limit ends that connection alone', async () => {
    const { url } = await startServer({ maxPayloadBytes: 1_000 });
    const [peer, neighbour] = [await rawPeer(url), await rawPeer(url)];
    const closed = once(peer.socket, 'close');
    peer.socket.send('x'.repeat(1_001));
    expect((await closed)[0]).toBe(1009);
    expect((await neighbour.call('hello', rawHello)).result).toBeDefined();
  });

  test.each([
    'junk',
    'null',
    '[]',
    '{}',
    '"x"',
    '[{}]',
    '{"jsonrpc":"2.0","result":1,"id":9}',
    '{"jsonrpc":"2.0","id":1,"method":{"toString":1}}',
    '[{"jsonrpc":"2.0","id":1,"method":"hello","params":{}}]',
  ])('%s does no harm', async (text) => {
    const { url } = await startServer();
    const peer = await rawPeer(url);
    peer.socket.send(text);
    expect(await peer.call('hello', rawHello)).toHaveProperty('result');
  });

  test.each(['junk', '{"jsonrpc":"2.0","result":1,"id":9}', Buffer.alloc(3)])(
    'so much of %j that it is no mistake ends that connection alone',
    async (message) => {
      const { url } = await startServer({ clock: new ManualClock() });
      const [peer, neighbour] = [await rawPeer(url), await rawPeer(url)];
      await peer.call('hello', rawHello);
      const closed = once(peer.socket, 'close');
      for (let turn = 0; turn < 1_000; turn++) peer.socket.send(message);
      expect((await peer.call('task.get', { id: 'a' })).result).toBeNull();
      peer.socket.send(message);
      expect(String((await closed)[1])).toMatch(/^too many messages that are refused/);
      expect((await neighbour.call('hello', rawHello)).result).toBeDefined();
    },
  );

  test('calls past the rate, on and on, end that connection', async () => {
    const { url } = await startServer({ clock: new ManualClock() });
    const peer = await rawPeer(url);
    const closed = once(peer.socket, 'close');
    for (let id = 1; id <= 11_001; id++) {
      peer.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'hello', params: {} }));
    }
    expect(String((await closed)[1])).toMatch(/^too many messages that are refused/);
  });

  test('errors bring their facts, but not what JSON cannot say, and never another code', async () => {
    const cause = new Error('password');
    const facts: Record<string, unknown>[] = [
      { leader: 'a:1', cause, deep: { list: [1] } },
      { big: 1n },
      { code: 'x' },
    ];
    const { url } = await startServer({
      handlers: {
        'task.get': async () => {
          throw new CodedError('not-leading', 'this master stands by', facts.shift());
        },
      },
    });
    const client = newClient(url);
    await client.start();
    for (const data of [{ leader: 'a:1', deep: { list: [1] } }, {}, {}]) {
      const error = await client.call('task.get', { id: 'a' }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'not-leading', message: 'this master stands by' });
      expect((error as CodedError).data).toEqual({ ...data, method: 'task.get' });
    }
  });

  test('go both ways on one connection, and notifications too', async () => {
    const { url, peers } = await startServer();
    const told: unknown[] = [];
    const client = newClient(url, {
      hello: () => ({ role: 'slave', name: 's' }),
      handlers: {
        'attempt.start': ({ attempt }) => ({ accepted: attempt === 1, reason: null }),
        'task.changed': (params) => {
          told.push(params);
          return null;
        },
      },
    });
    await client.start();
    const connection = peers[0]?.connection;
    connection?.notify('task.changed', { id: 'a', state: 'proven' });
    const start = { id: 'a', attempt: 1, task: {} as never, closeAt: null };
    await expect(connection?.call('attempt.start', start)).resolves.toEqual({ accepted: true, reason: null });
    expect(told).toEqual([{ id: 'a', state: 'proven' }]);
    const cancel = { id: 'a', attempt: 1, reason: 'r' };
    await expect(connection?.call('attempt.cancel', cancel)).rejects.toMatchObject({ code: 'unknown-method' });
  });
});

describe('the listener', () => {
  test.each(['0.0.0.0', '::', '192.168.1.1', 'example.org'])(
    'on %s is for this machine where no token is set',
    (host) => {
      expect(whyAlone({ host, tokens: [], insecure: false })).toMatch(/token_file.*insecure = true/);
    },
  );

  test('lets others in with a token, a client authority, or insecure', () => {
    const tls = { cert: 'c', key: 'k' };
    const outside = { host: '0.0.0.0', tokens: [], insecure: false };
    expect(whyAlone({ ...outside, tokens })).toBeUndefined();
    expect(whyAlone({ ...outside, insecure: true })).toBeUndefined();
    expect(whyAlone({ ...outside, tls: { ...tls, clientCa: 'ca' } })).toBeUndefined();
    expect(whyAlone({ ...outside, tls })).toBeDefined();
    expect(whyAlone({ ...outside, host: '::1' })).toBeUndefined();
  });

  test('without a token turns away who is on another machine, and nobody else', async () => {
    const from = (remoteAddress: string, localAddress: string, insecure = false) => {
      return admit(arriving(remoteAddress, localAddress), { tokens: [], insecure });
    };
    expect(from('192.0.2.7', '192.0.2.1')).toMatchObject({ status: '401 Unauthorized' });
    expect(from('192.0.2.7', '192.0.2.1', true)).toMatchObject({ scopes: expect.anything() });
    expect(from('192.0.2.1', '192.0.2.1')).toMatchObject({ scopes: expect.anything() });
    expect(from('::ffff:127.0.0.1', '::ffff:127.0.0.1')).toMatchObject({ scopes: expect.anything() });
    const { port } = await startServer({ host: '0.0.0.0' });
    await newClient(`ws://127.0.0.1:${port}`).start();
  });

  test.each(['Forwarded', 'X-Forwarded-For', 'X-Real-IP', 'Via'])(
    'takes what a proxy of this machine passes on (%s) for a stranger',
    async (header) => {
      const { port } = await startServer();
      expect(await upgrade(port, { [header]: '192.0.2.7' })).toMatch(/^401 no token is set here, .* through a proxy: /);
      const locked = await startServer({ tokens });
      const shown = { [header]: '192.0.2.7', authorization: 'Bearer wrong' };
      expect(await upgrade(locked.port, shown)).toMatch(/^401 the token is not known here/);
      const passedOn = arriving('127.0.0.1', '127.0.0.1', { [header.toLowerCase()]: '192.0.2.7' });
      expect(admit(passedOn, { tokens: [], insecure: true })).toMatchObject({ scopes: expect.anything() });
      passedOn.headers.authorization = 'Bearer right';
      expect(admit(passedOn, { tokens, insecure: false })).toMatchObject({ scopes: new Set(['submit']) });
    },
  );

  test('says that a port is taken', async () => {
    const { port } = await startServer();
    await expect(startServer({ port })).rejects.toMatchObject({
      code: 'listen-failed',
      message: `cannot listen on 127.0.0.1:${port}: another program listens there`,
    });
  });

  test('ends the connections of a peer that does not answer the close', async () => {
    const clock = new ManualClock();
    const { server, url } = await startServer({ clock });
    const peer = await rawPeer(url);
    await peer.call('hello', rawHello);
    peer.socket.pause();
    const closing = server.close();
    clock.advance(1_000);
    await closing;
  });

  test('answers carry what handlers gave', async () => {
    const { url } = await startServer();
    const client = newClient(url);
    await client.start();
    await expect(client.call('task.submit', { task: {} as never, closeAt: 5 })).resolves.toEqual(view);
  });
});
