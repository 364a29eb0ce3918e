import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../clock/clock.ts';

const LOOK_MS = 100;

/** Hands over each line that is appended to a file, until it is called off. The writer does not notice. */
export function followLines(
  { clock }: { readonly clock: Clock },
  init: { readonly file: string; readonly onLine: (line: string) => void },
): () => void {
  const handle = openSync(init.file, 'r');
  const buffer = Buffer.alloc(65_536);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let callOff = () => {};
  const look = (): void => {
    for (let count = readSync(handle, buffer); count > 0; count = readSync(handle, buffer)) {
      const lines = (rest + decoder.write(buffer.subarray(0, count))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) init.onLine(line);
    }
    callOff = clock.after(LOOK_MS, look);
  };
  look();
  return () => {
    callOff();
    closeSync(handle);
  };
}
