import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { CodedError } from '../errors/coded-error.ts';

/** Debian keeps servers where the PATH of ordinary users does not look. */
const MORE_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/usr/local/mysql/bin'];

/** @throws CodedError `embedded-database-failed` */
export async function findServerProgram(name: string): Promise<string> {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...MORE_DIRECTORIES];
  for (const directory of directories) {
    const path = join(directory, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new CodedError(
    'embedded-database-failed',
    `${name} is not installed: install MariaDB (Debian: apt-get install mariadb-server-core mariadb-client-core), or name a database in the configuration`,
  );
}

/** MariaDB's programs refuse to run as root unless told so. */
export function serverUser(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}
