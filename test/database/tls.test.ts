import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock/system-clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { newAuthority } from '../support/certificates.ts';
import { freePorts, startMariadbServer } from '../support/mariadb-server.ts';
import { silentLogger } from '../support/silent-logger.ts';

const components = { clock: systemClock, logger: silentLogger };

async function startServer(name: string, args: readonly string[]): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'wdpost-tls-'));
  const [port = 0] = await freePorts(1);
  const server = await startMariadbServer({ dataDir: join(home, name), port, args });
  onTestFinished(async () => {
    await server.end('SIGTERM');
    await rm(home, { recursive: true });
  });
  return server.url.replace('127.0.0.1', 'localhost');
}

test('a server that wants TLS: with its certificates, not with others, not without', async () => {
  const authority = await newAuthority('database-ca');
  const foreign = await newAuthority('another-ca');
  const own = await authority.issue('database');
  const url = await startServer('encrypted', [
    '--require-secure-transport=ON',
    `--ssl-ca=${authority.cert}`,
    `--ssl-cert=${own.cert}`,
    `--ssl-key=${own.key}`,
  ]);
  const db = await openDatabase(components, { url: `${url}?ssl-ca=${authority.cert}` });
  const { rows } = await sql<{ Value: string }>`SHOW SESSION STATUS LIKE 'Ssl_cipher'`.execute(db.kysely);
  expect(rows[0]?.Value).toMatch(/^TLS_|ECDHE/);
  await db.close();

  const refused = (text: string) => ({ code: 'database-refused', message: expect.stringContaining(text) });
  await expect(openDatabase(components, { url })).rejects.toMatchObject(refused('?ssl-ca=/file is missing'));
  await expect(openDatabase(components, { url: `${url}?ssl-ca=${foreign.cert}` })).rejects.toMatchObject(
    refused('is not one of ssl-ca'),
  );
});

test('a certificate for another host is not taken', async () => {
  const authority = await newAuthority('database-ca');
  // The one of the authority bears no host name.
  const url = await startServer('impostor', [`--ssl-cert=${authority.cert}`, `--ssl-key=${authority.key}`]);
  await expect(openDatabase(components, { url: `${url}?ssl-ca=${authority.cert}` })).rejects.toMatchObject({
    code: 'database-refused',
    message: expect.stringContaining('for this host name'),
  });
});

test('a server without TLS is not spoken to by who asked for it', async () => {
  const authority = await newAuthority('database-ca');
  const url = await startServer('plain', ['--skip-ssl']);
  await expect(openDatabase(components, { url: `${url}?ssl-ca=${authority.cert}` })).rejects.toMatchObject({
    code: 'database-refused',
    message: expect.stringContaining('has no TLS'),
  });
  await expect(openDatabase(components, { url: `${url}?ssl-ca=/nowhere.pem` })).rejects.toMatchObject({
    code: 'bad-database-url',
    message: expect.stringContaining('/nowhere.pem'),
  });
});
