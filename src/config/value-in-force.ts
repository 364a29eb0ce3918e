/** What counts for one key of a config file, and where it was written. */
export interface ValueInForce {
  /** `Miners[0].PoSt.GasFeeCap`. */
  readonly path: string;
  /** In the file's notation, without secrets; null where there is none. */
  readonly value: string | null;
  readonly from: 'file' | 'default' | 'unset';
  /** Where `from` is `file`; absent inside an inline table. */
  readonly line?: number;
  /** The other spelling that was written. */
  readonly writtenAs?: string;
  /** What counts in its place, where `from` is `unset`. */
  readonly otherwise?: string;
  /** Why it has no effect. */
  readonly notApplicable?: string;
}

/** `line 12`, `default`, or what counts instead. */
export function whereFrom({ from, line, writtenAs, otherwise }: ValueInForce): string {
  if (from === 'default') return 'default';
  if (from === 'unset') return otherwise === undefined ? 'not written' : `not written: ${otherwise}`;
  const place = line === undefined ? 'written' : `line ${line}`;
  return writtenAs === undefined ? place : `${place}, as ${writtenAs}`;
}
