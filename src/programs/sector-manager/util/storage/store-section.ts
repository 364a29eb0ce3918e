/** The part of sector-manager.cfg that makes a store known to the daemon. */
export function storeSection(store: {
  readonly name: string;
  readonly path: string;
  readonly strict: boolean;
  readonly readOnly: boolean;
}): string {
  return [
    '[[Common.PersistStores]]',
    // A text of JSON is one of TOML.
    `Name = ${JSON.stringify(store.name)}`,
    `Path = ${JSON.stringify(store.path)}`,
    // Both are always so; the daemon would warn of false.
    ...(store.strict ? ['Strict = true'] : []),
    ...(store.readOnly ? ['ReadOnly = true'] : []),
    'Weight = 0',
  ].join('\n');
}
