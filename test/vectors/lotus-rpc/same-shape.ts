/** Fields whose values must be the recorded ones; of all others only the form is compared. */
const EXACT = new Set([
  'AllSectors',
  'FaultySectors',
  'RecoveringSectors',
  'LiveSectors',
  'ActiveSectors',
  'PostSubmissions',
  'DisputableProofCount',
  'ExitCode',
  'Method',
  'Version',
  'SectorSize',
  'WindowPoStProofType',
  'WindowPoStPartitionSectors',
  'SealProof',
  'Deadline',
  'Partition',
]);

/** The inside of a virtual machine, which the development chain does not have. */
const OPAQUE = new Set(['ExecutionTrace']);

/** Says where `actual` has another form than `recorded`; undefined where it has not. */
export function difference(actual: unknown, recorded: unknown, at = 'answer'): string | undefined {
  if (kindOf(actual) !== kindOf(recorded)) return `${at} is ${kindOf(actual)}, recorded is ${kindOf(recorded)}`;
  if (Array.isArray(actual) && Array.isArray(recorded)) return listDifference(actual, recorded, at);
  if (isObject(actual) && isObject(recorded)) return objectDifference(actual, recorded, at);
  return undefined;
}

function listDifference(actual: readonly unknown[], recorded: readonly unknown[], at: string): string | undefined {
  if ((actual.length === 0) !== (recorded.length === 0)) {
    return `${at} has ${actual.length} elements, recorded are ${recorded.length}`;
  }
  for (const [index, element] of actual.entries()) {
    const differences = recorded.map((candidate) => difference(element, candidate, `${at}[${index}]`));
    if (!differences.includes(undefined)) return differences[0];
  }
  return undefined;
}

function objectDifference(
  actual: Readonly<Record<string, unknown>>,
  recorded: Readonly<Record<string, unknown>>,
  at: string,
): string | undefined {
  const [got, wanted] = [Object.keys(actual).sort().join(), Object.keys(recorded).sort().join()];
  if (got !== wanted) return `${at} has the fields ${got}, recorded are ${wanted}`;
  for (const [name, value] of Object.entries(actual)) {
    const expected = recorded[name];
    if (EXACT.has(name) && typeof expected !== 'string' && JSON.stringify(value) !== JSON.stringify(expected)) {
      return `${at}.${name} is ${JSON.stringify(value)}, recorded is ${JSON.stringify(expected)}`;
    }
    const found = OPAQUE.has(name) ? undefined : difference(value, expected, `${at}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Texts of errors are compared word for word but for numbers, addresses and CIDs. */
export function errorTemplate(text: string): string {
  return text
    .replaceAll(/\b[tf][0-4][0-9a-z]{2,}\b/g, 'ADDRESS')
    .replaceAll(/\bbaf[0-9a-z]{20,}\b/g, 'CID')
    .replaceAll(/\d+(\.\d+)*/g, '#');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'string') return typeof value;
  if (/^-?\d+$/.test(value)) return 'an amount';
  if (/^ba[fg][0-9a-z]{20,}$/.test(value)) return 'a CID';
  if (/^[tf][0-4][0-9a-z]{2,}$/.test(value)) return 'an address';
  return 'text';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
