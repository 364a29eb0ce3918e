import { readdirSync, readFileSync } from 'node:fs';

const DIRECTORY = new URL('../vectors/data/lotus-rpc/', import.meta.url);

export interface RecordedCase {
  readonly case: string;
  readonly request?: { readonly method?: string; readonly params?: unknown };
  readonly response?: {
    readonly result?: unknown;
    readonly error?: { readonly code: number; readonly message: string };
  };
  readonly frames?: readonly { readonly dir: 'send' | 'recv'; readonly data: RecordedFrame }[];
}

export interface RecordedFrame {
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
}

/** An exchange recorded from a Lotus node, by the name of its case. */
export function recorded(name: string): RecordedCase {
  return JSON.parse(readFileSync(new URL(`${name}.json`, DIRECTORY), 'utf8')) as RecordedCase;
}

export function allRecorded(): RecordedCase[] {
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.json'))
    .map((name) => recorded(name.slice(0, -'.json'.length)));
}
