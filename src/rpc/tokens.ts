import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CodedError, errorText } from '../errors/coded-error.ts';
import { type Scope, scopes } from './methods.ts';

export interface Token {
  readonly secret: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Where tokens come from: a file, the environment, or both. */
export interface TokenSource {
  readonly file?: string | undefined;
  /** WDPOST_TOKEN of it is a token for everything. */
  readonly env: NodeJS.ProcessEnv;
}

const EVERYTHING: ReadonlySet<Scope> = new Set(scopes);

/**
 * The tokens that a listener accepts.
 * @throws CodedError `bad-token-file`
 */
export async function loadTokens(source: TokenSource): Promise<Token[]> {
  const fromFile = source.file === undefined ? [] : parseTokens(await read(source.file), source.file);
  const secret = source.env.WDPOST_TOKEN;
  return secret ? [...fromFile, { secret, scopes: EVERYTHING }] : fromFile;
}

/**
 * The token that a client shows: WDPOST_TOKEN, else of the file its only word or the first line with the scope, so that
 * one file can serve both sides. Undefined where there is neither.
 * @throws CodedError `bad-token-file`
 */
export async function loadClientToken(source: TokenSource, scope: Scope): Promise<string | undefined> {
  if (source.env.WDPOST_TOKEN) return source.env.WDPOST_TOKEN;
  if (source.file === undefined) return undefined;
  const text = (await read(source.file)).trim();
  if (/^\S+$/.test(text)) return text;
  const token = parseTokens(text, source.file).find((candidate) => candidate.scopes.has(scope));
  if (token === undefined) throw new CodedError('bad-token-file', `${source.file} has no token with scope ${scope}`);
  return token.secret;
}

/** The scopes of a shown token; undefined for a wrong one. Every known token is compared, in constant time. */
export function scopesOf(tokens: readonly Token[], shown: string): ReadonlySet<Scope> | undefined {
  let found: ReadonlySet<Scope> | undefined;
  for (const token of tokens) if (timingSafeEqual(digest(token.secret), digest(shown))) found = token.scopes;
  return found;
}

function parseTokens(text: string, where: string): Token[] {
  const tokens: Token[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]?.startsWith('#')) continue;
    tokens.push(parseToken(words, `${where} line ${index + 1}`));
  }
  if (tokens.length === 0)
    throw new CodedError('bad-token-file', `${where} has no token; write a line such as "submit,slave <token>"`);
  return tokens;
}

function parseToken([names = '', secret, ...more]: readonly string[], where: string): Token {
  if (secret === undefined || more.length > 0) {
    throw new CodedError(
      'bad-token-file',
      `${where}: expected "<scope[,scope]> <token>", for instance "submit,slave <token>"`,
    );
  }
  const found = names.split(',').map((name) => {
    const scope = scopes.find((candidate) => candidate === name);
    if (scope !== undefined) return scope;
    throw new CodedError('bad-token-file', `${where}: unknown scope; use ${scopes.join(', ')}`);
  });
  return { secret, scopes: new Set(found) };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CodedError('bad-token-file', `the token file cannot be read: ${errorText(cause)}`);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
