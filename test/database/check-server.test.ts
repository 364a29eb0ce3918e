import { expect, test } from 'vitest';
import { checkServer, isSupportedVersion } from '../../src/database/check-server.ts';

test.each([
  ['10.11.19-MariaDB-0+deb12u1', true],
  ['5.5.5-10.6.1-MariaDB-log', true],
  ['11.4.2-MariaDB', true],
  ['10.5.29-MariaDB', false],
  ['8.0.36', true],
  ['8.4.0-commercial', true],
  ['8.0.11-TiDB-v7.5.0', true],
  ['5.7.44-log', false],
  ['', false],
])('version %s: %s', (version, supported) => {
  expect(isSupportedVersion(version)).toBe(supported);
});

const FIT = [
  ['version', '10.11.19-MariaDB'],
  ['tx_isolation', 'READ-COMMITTED'],
  ['max_allowed_packet', '16777216'],
  ['read_only', 'OFF'],
] as const;

test.each([
  ['another isolation level', ['tx_isolation', 'REPEATABLE-READ'], 'database-unfit', 'REPEATABLE-READ'],
  ['small packets', ['max_allowed_packet', '16777215'], 'database-unfit', 'set it to 16777216'],
  ['an old server', ['version', '10.5.0-MariaDB'], 'database-unfit', 'MariaDB 10.6'],
  ['a replica', ['read_only', 'ON'], 'database-unavailable', 'here is read-only'],
] as const)('%s is refused', (_, variable, code, text) => {
  expect(() => checkServer(new Map(FIT), 'here')).not.toThrow();
  expect(() => checkServer(new Map([...FIT, variable]), 'here')).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(text) }),
  );
});
