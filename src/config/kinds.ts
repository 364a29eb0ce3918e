import { type Address, parseAddress } from '../filecoin/address.ts';
import { type Kind, KindMismatch } from './kind.ts';
import { shownUrl } from './shown-url.ts';

export const text: Kind<string> = {
  accepts: 'a text in quotes',
  read: (found) => (typeof found === 'string' && found !== '' ? found : undefined),
};

export const absolutePath: Kind<string> = {
  accepts: "an absolute path such as '/mnt/store1'",
  read: (found) => (typeof found === 'string' && found.startsWith('/') ? found : undefined),
};

/** Of a program. Options and paths may be shown; what else is given with them may be a secret. */
export const programArguments: Kind<readonly string[]> = {
  ...listOf(text),
  secret: true,
  show: (args) => `[${args.map((arg) => `'${shownArgument(arg)}'`).join(', ')}]`,
};

/** A text that no message may show. */
export const secretText: Kind<string> = { ...text, secret: true };

/** May hold a secret in its path or query. */
export const webUrl: Kind<string> = {
  accepts: "a URL such as 'https://alerts.example/wdpost'",
  read: (found) => (typeof found === 'string' && /^https?:/i.test(found) && URL.canParse(found) ? found : undefined),
  secret: true,
  show: shownUrl,
};

export const flag: Kind<boolean> = {
  accepts: 'true or false',
  read: (found) => (typeof found === 'boolean' ? found : undefined),
};

export const count: Kind<number> = {
  accepts: 'a whole number, 0 or more',
  read: (found) => (Number.isSafeInteger(found) && Number(found) >= 0 ? Number(found) : undefined),
};

export const positiveCount: Kind<number> = {
  accepts: 'a whole number, 1 or more',
  read: (found) => (count.read(found) === 0 ? undefined : count.read(found)),
};

export const factor: Kind<number> = {
  accepts: 'a number, 0 or more',
  read: (found) => (typeof found === 'number' && Number.isFinite(found) && found >= 0 ? found : undefined),
};

export const share: Kind<number> = {
  accepts: 'a number from 0 to 1',
  read: (found) => {
    const value = factor.read(found);
    return value === undefined || value > 1 ? undefined : value;
  },
};

/** Milliseconds, written as a number of seconds. */
export const seconds: Kind<number> = {
  accepts: 'a whole number of seconds',
  read: (found) => {
    const value = count.read(found);
    return value === undefined ? undefined : value * 1000;
  },
};

export const address: Kind<Address> = {
  accepts: "a Filecoin address such as 'f3…', 't1…' or 't01000'",
  read: (found) => {
    if (typeof found !== 'string') return undefined;
    try {
      return parseAddress(found);
    } catch (error) {
      throw new KindMismatch(error instanceof Error ? error.message : String(error));
    }
  },
};

/** The number of a miner actor: 1447, 't01447' or 'f01447'. */
export const minerId: Kind<number> = {
  accepts: "a miner's number such as 1447 (or 't01447')",
  read: (found) =>
    positiveCount.read(typeof found === 'string' && /^[ft]0\d+$/.test(found) ? Number(found.slice(2)) : found),
};

/** `host:port`, or a ws:// or wss:// URL. Addresses are logged, so nothing secret may be in one. */
export const serverAddress: Kind<string> = {
  accepts: "'host:port' such as '192.0.2.1:4698', or a ws:// or wss:// URL",
  read: (found) => {
    if (typeof found !== 'string') return undefined;
    const isUrl = /^wss?:\/\//.test(found);
    if (isUrl ? !URL.canParse(found) : !/^[^\s:/@]+:\d+$|^\[[0-9a-f:.]+\]:\d+$/i.test(found)) return undefined;
    if (isUrl && hasMoreThanPlace(new URL(found))) {
      throw new KindMismatch('no user, password or query belongs in it: a token is named by its file or WDPOST_TOKEN');
    }
    return isUrl || isPort(Number(found.slice(found.lastIndexOf(':') + 1))) ? found : undefined;
  },
  // Other addresses of these files take `token:host:port`.
  mayHoldSecret: (wrong) => /[@?#]|:.*:/.test(JSON.stringify(wrong)),
};

/** `host:port` without a scheme. */
export const hostAndPort: Kind<string> = {
  accepts: "'host:port' such as '192.0.2.1:4698'",
  read: (found) => (typeof found === 'string' && !found.includes('/') ? serverAddress.read(found) : undefined),
  mayHoldSecret: (wrong) => serverAddress.mayHoldSecret?.(wrong) === true,
};

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`; `:port` is every interface. Port 0 lets the system choose. */
export const listenAddress: Kind<ListenAddress> = {
  accepts: "'host:port' such as '0.0.0.0:4698'",
  read: (found) => {
    const match = typeof found === 'string' ? /^(?:\[([0-9a-f:.]+)\]|([^\s:/]*)):(\d+)$/i.exec(found) : null;
    if (match === null || Number(match[3]) > 65_535) return undefined;
    return { host: match[1] ?? (match[2] || '0.0.0.0'), port: Number(match[3]) };
  },
};

export function listOf<T>(item: Kind<T>): Kind<readonly T[]> {
  return {
    ...secrecyOf(item),
    accepts: `a list, each ${item.accepts}`,
    read: (found) => (Array.isArray(found) ? readAll(item, found) : undefined),
  };
}

/** A list with at least one item, or that item alone. */
export function oneOrMore<T>(item: Kind<T>): Kind<readonly T[]> {
  return {
    ...secrecyOf(item),
    accepts: `${item.accepts}, or a list of them`,
    read: (found) => {
      const items = readAll(item, Array.isArray(found) ? found : [found]);
      return items?.length === 0 ? undefined : items;
    },
  };
}

export function oneOf<T extends string>(...words: readonly T[]): Kind<T> {
  return {
    accepts: words.map((word) => `'${word}'`).join(' or '),
    read: (found) => words.find((word) => word === found),
  };
}

/** Passwords and tokens go there, under names that others chose. */
export const textTable: Kind<Readonly<Record<string, string>>> = {
  accepts: 'a table of texts',
  secret: true,
  show: (table) => (Object.keys(table).length === 0 ? '{}' : `{ ${Object.keys(table).join(', ')} } (values not shown)`),
  read: (found) => {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
    const entries = Object.entries(found);
    return entries.every(([, value]) => typeof value === 'string') ? Object.fromEntries(entries) : undefined;
  },
};

function secrecyOf<T>({
  secret,
  show,
  mayHoldSecret,
}: Kind<T>): Pick<Kind<readonly T[]>, 'secret' | 'show' | 'mayHoldSecret'> {
  return {
    ...(secret !== undefined && { secret }),
    ...(mayHoldSecret !== undefined && { mayHoldSecret }),
    ...(show !== undefined && { show: (items) => items.map(show).join(', ') }),
  };
}

function readAll<T>(item: Kind<T>, found: readonly unknown[]): T[] | undefined {
  const items = found.map((one) => item.read(one)).filter((one) => one !== undefined);
  return items.length === found.length ? items : undefined;
}

function hasMoreThanPlace({ username, password, search, hash }: URL): boolean {
  return [username, password, search, hash].some((part) => part !== '');
}

function isPort(port: number): boolean {
  return port > 0 && port <= 65_535;
}

function shownArgument(argument: string): string {
  const [, option] = /^(--[\w-]+|-[a-z]\b)/i.exec(argument) ?? [];
  if (option !== undefined) return option === argument ? argument : `${option}…`;
  return /^\.{0,2}\/[^:?@]*$/.test(argument) ? argument : '…';
}
