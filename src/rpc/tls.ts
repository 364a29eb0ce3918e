import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { CodedError, errorText } from '../errors/coded-error.ts';

/** PEM texts. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** A client whose certificate this authority has signed needs no token. */
  readonly clientCa?: string;
}

/** PEM texts. Without `ca` the authorities that the system trusts count. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** `ca` may be any certificate of the chain, the last one too. */
  readonly allowPartialTrustChain?: boolean;
}

/**
 * What `[server] tls_*` name; undefined where nothing is named.
 * @throws CodedError `bad-tls`
 */
export async function loadServerTls(files: {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly clientCa?: string | undefined;
}): Promise<ServerTls | undefined> {
  const texts = await readAll(files);
  const { cert, key, clientCa } = texts;
  if (cert !== undefined && key !== undefined) return { cert, key, ...(clientCa !== undefined && { clientCa }) };
  if (clientCa === undefined) return undefined;
  throw new CodedError(
    'bad-tls',
    'a client authority is named and no certificate of the server: name that and its key, too',
  );
}

/**
 * What a client's `tls_*` name; undefined where nothing is named.
 * @throws CodedError `bad-tls`
 */
export async function loadClientTls(files: {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}): Promise<ClientTls | undefined> {
  const texts = await readAll(files);
  return Object.keys(texts).length === 0 ? undefined : texts;
}

async function readAll<Name extends string>(
  files: { readonly [N in Name | 'cert' | 'key']?: string | undefined },
): Promise<{ [N in Name | 'cert' | 'key']?: string }> {
  if ((files.cert === undefined) !== (files.key === undefined)) {
    throw new CodedError('bad-tls', `${files.cert ?? files.key}: a certificate and its key are named together`);
  }
  const texts: { [N in Name | 'cert' | 'key']?: string } = {};
  for (const [name, file] of Object.entries(files) as [Name, string | undefined][]) {
    if (file !== undefined) texts[name] = await readPem(file);
  }
  const { cert, key } = texts;
  if (cert !== undefined && key !== undefined) {
    check(`${files.cert} and ${files.key}`, () => createSecureContext({ cert, key }));
  }
  return texts;
}

async function readPem(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new CodedError('bad-tls', `a TLS file cannot be read: ${errorText(cause)}`);
  }
  if (!text.includes('-----BEGIN ')) throw new CodedError('bad-tls', `${file} is not in PEM format (-----BEGIN …)`);
  if (text.includes('CERTIFICATE-----')) check(file, () => new X509Certificate(text));
  return text;
}

function check(where: string, parse: () => unknown): void {
  try {
    parse();
  } catch (cause) {
    throw new CodedError('bad-tls', `${where}: ${errorText(cause)}`);
  }
}
