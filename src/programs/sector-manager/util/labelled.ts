/** Lines of a label and a value; lines without a value are left out. */
export function labelled(lines: readonly (readonly [string, string | number | null | undefined])[]): string {
  const shown = lines.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(...shown.map(([label]) => label.length)) + 2;
  return shown.map(([label, value]) => `${label.padEnd(width)}${value}`).join('\n');
}
