import { CodedError } from '../errors/coded-error.ts';

/** A full partition's answer is a few hundred kilobytes; a child that writes this much without a line end is broken. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * Cuts a byte stream into lines at "\n" alone: node:readline also cuts at U+2028, which JSON strings may hold. Bytes are joined
 * before they are decoded, so a character split between two chunks survives. A last line without an end is never given out.
 * @returns a function that takes the next chunk; it throws CodedError `line-too-long`.
 */
export function lineSplitter(onLine: (line: string) => void, maxBytes = MAX_LINE_BYTES): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let held = 0;
  return (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      held = 0;
      from = end + 1;
      onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
    const rest = chunk.subarray(from);
    held += rest.length;
    if (held > maxBytes) throw new CodedError('line-too-long', `a line of more than ${maxBytes} bytes`);
    if (rest.length > 0) parts.push(rest);
  };
}
