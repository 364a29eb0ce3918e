import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Scope } from '../../src/rpc/methods.ts';
import type { RpcClientInit } from '../../src/rpc/rpc-client.ts';
import { loadClientTls, loadServerTls } from '../../src/rpc/tls.ts';
import { newAuthority } from '../support/certificates.ts';
import { newClient, startServer } from './rpc-world.ts';

const tokens = [{ secret: 'right', scopes: new Set<Scope>(['submit']) }];

async function start(init: Partial<RpcClientInit> & { readonly url: string }): Promise<unknown> {
  const { url, ...rest } = init;
  const client = newClient(url, rest);
  await client.start();
  return await client.call('task.get', { id: 'a' });
}

describe('a listener with a certificate', () => {
  async function world() {
    const authority = await newAuthority('authority');
    const tls = await loadServerTls(await authority.issue('master'));
    const { port } = await startServer({ tls, tokens });
    return { port, ca: await loadClientTls({ ca: authority.cert }) };
  }

  test('is reached with its authority and a token; an address without a scheme means wss', async () => {
    const { port, ca } = await world();
    await expect(start({ url: `127.0.0.1:${port}`, tls: ca, token: 'right' })).resolves.toBeNull();
    await expect(start({ url: `wss://localhost:${port}`, tls: ca, token: 'right' })).resolves.toBeNull();
  });

  test('is not reached by who does not know its authority, nor in the clear', async () => {
    const { port, ca } = await world();
    await expect(start({ url: `wss://127.0.0.1:${port}`, token: 'right' })).rejects.toMatchObject({
      code: 'untrusted-master',
      message: expect.stringMatching(
        /^the certificate of wss:.* is not trusted \(.*\): check its authority \(tls_ca\)/,
      ),
    });
    await expect(start({ url: `wss://127.0.0.1:${port}`, tls: ca, token: 'wrong' })).rejects.toMatchObject({
      code: 'unauthorized',
    });
    const plain = newClient(`ws://127.0.0.1:${port}`, { token: 'right' });
    void plain.start().catch(() => {});
    await expect(plain.call('task.get', { id: 'a' }, { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'not-connected',
    });
  });
});

describe('a listener with a client authority', () => {
  async function world(init: { readonly tokens: typeof tokens }) {
    const [authority, stranger] = await Promise.all([newAuthority('authority'), newAuthority('stranger')]);
    const tls = await loadServerTls({ ...(await authority.issue('master')), clientCa: authority.cert });
    const { port } = await startServer({ host: '0.0.0.0', tls, ...init });
    const client = async (issuer: typeof authority) =>
      await loadClientTls({ ca: authority.cert, ...(await issuer.issue('slave')) });
    return {
      url: `127.0.0.1:${port}`,
      known: await client(authority),
      strange: await client(stranger),
      none: await loadClientTls({ ca: authority.cert }),
    };
  }

  test('needs no token', async () => {
    const { url, known, strange, none } = await world({ tokens: [] });
    await expect(start({ url, tls: known })).resolves.toBeNull();
    // Meant for another master.
    await expect(start({ url, tls: known, token: 'other' })).resolves.toBeNull();
    for (const tls of [strange, none]) {
      await expect(start({ url, tls })).rejects.toMatchObject({
        code: 'unauthorized',
        message: expect.stringMatching(/401\): no good certificate was shown: set tls_cert and tls_key/),
      });
    }
  });

  test('with tokens takes either, and a token that is shown says what its bearer may', async () => {
    const { url, known, strange, none } = await world({ tokens });
    const hello = () => ({ role: 'slave' as const, name: 's' });
    await expect(start({ url, tls: known })).resolves.toBeNull();
    await expect(start({ url, tls: none, token: 'right' })).resolves.toBeNull();
    const slave = newClient(url, { tls: known, hello });
    await slave.start();
    await expect(newClient(url, { tls: known, hello, token: 'right' }).start()).rejects.toMatchObject({
      code: 'forbidden',
    });
    for (const init of [{ tls: known, token: 'wrong' }, { tls: strange }, { tls: none }]) {
      await expect(start({ url, ...init })).rejects.toMatchObject({ code: 'unauthorized' });
    }
  });
});

describe('files', () => {
  test('nothing named is nothing', async () => {
    await expect(loadServerTls({})).resolves.toBeUndefined();
    await expect(loadClientTls({ ca: undefined })).resolves.toBeUndefined();
  });

  test('what is wrong is said with its file, in one line', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tls-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const junk = join(dir, 'junk');
    const broken = join(dir, 'broken');
    await writeFile(junk, 'x');
    await writeFile(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const authority = await newAuthority('authority');
    const [a, b] = await Promise.all([authority.issue('a'), authority.issue('b')]);
    const bad = async (loading: Promise<unknown>, message: RegExp) => {
      const error = await loading.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'bad-tls', message: expect.stringMatching(message) });
      expect(String(error)).not.toContain('\n');
    };
    await bad(loadServerTls({ cert: a.cert }), /a\.crt: a certificate and its key are named together/);
    await bad(loadClientTls({ key: a.key }), /a\.key: a certificate and its key are named together/);
    await bad(loadServerTls({ clientCa: authority.cert }), /no certificate of the server/);
    await bad(loadServerTls({ cert: a.cert, key: b.key }), /a\.crt and .*b\.key: .*mismatch/);
    await bad(loadServerTls({ cert: `${dir}/none`, key: a.key }), /cannot be read: .*none/);
    await bad(loadClientTls({ ca: junk }), /junk is not in PEM format/);
    await bad(loadClientTls({ ca: broken }), /broken: /);
  });
});
