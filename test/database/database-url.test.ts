import { expect, test } from 'vitest';
import { formatDatabaseAddress, parseDatabaseUrl } from '../../src/database/database-url.ts';

test('reads the forms of a database url', () => {
  expect(parseDatabaseUrl('mysql://root:pass%23word@db.example:3307/wdpost')).toEqual({
    host: 'db.example',
    port: 3307,
    user: 'root',
    password: 'pass#word',
    database: 'wdpost',
  });
  expect(parseDatabaseUrl('mysql://root@localhost/wdpost?socketPath=%2Ftmp%2Fmy.sock')).toMatchObject({
    socketPath: '/tmp/my.sock',
    port: 3306,
    password: '',
  });
});

test.each([
  ['wdpost.db', 'is not a URL'],
  ['postgres://u:secret@h/db', 'begins with postgres://'],
  ['mysql://u:secret@h/', 'names no database'],
  ['mysql://u:secret%@h/db', 'holds a %'],
])('%s is refused without telling the password', (url, why) => {
  expect(() => parseDatabaseUrl(url)).toThrow(
    expect.objectContaining({ code: 'bad-database-url', message: expect.stringContaining(why) }),
  );
  expect(() => parseDatabaseUrl(url)).not.toThrow(/secret/);
});

test('an address for people holds neither user nor password', () => {
  expect(formatDatabaseAddress(parseDatabaseUrl('mysql://u:secret@h/db'))).toBe('db at h:3306');
});
