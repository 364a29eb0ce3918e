import { createInterface } from 'node:readline';
import { systemClock } from '../../clock/system-clock.ts';
import { CodedError, errorText } from '../../errors/coded-error.ts';
import type { FailureCode, ScanMessage, ScanOrder } from './scan-messages.ts';
import { StoreScan } from './store-scan.ts';

// The program that scans one store: an order on stdin, what it finds on stdout, one JSON object a line. It may hang with its store at
// any call; its parent then ends it.

/** A normal exit would wait for threads that hang in the store. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function tell(message: ScanMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function scan(order: ScanOrder): Promise<void> {
  try {
    await new StoreScan({ clock: systemClock, tell }, order).run();
    tell({ isDone: true });
  } catch (error) {
    const code = error instanceof CodedError ? (error.code as FailureCode) : 'scan-failed';
    const isMount = error instanceof CodedError && error.data.isMount === true;
    tell({ failure: { code, reason: errorText(error), ...(isMount && { isMount }) } });
  }
}

process.stdout.on('error', end);
createInterface({ input: process.stdin })
  .once('line', (line) => void scan(JSON.parse(line)))
  .on('close', end);
