import type { Kind } from './kind.ts';
import { oneOrMore } from './kinds.ts';

/** Kept as it is written; holds a password. */
const databaseUrl: Kind<string> = {
  accepts: "'mysql://user:password@host:port/database', with %40 for an @ in the password, %23 for a # and so on",
  read: (found) => {
    if (typeof found !== 'string' || !URL.canParse(found)) return undefined;
    const { protocol, pathname } = new URL(found);
    return protocol === 'mysql:' && pathname.length > 1 ? found : undefined;
  },
  secret: true,
  show: (url) => {
    const { protocol, username, host, pathname } = new URL(url);
    return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`;
  },
};

/** Servers of one database, in the order in which they are tried. */
export const databaseUrls: Kind<readonly string[]> = oneOrMore(databaseUrl);
