const waiting: (() => void)[] = [];

/** Runs each in a turn of the event loop of its own: many that take milliseconds each must not hold up timers and sockets together. */
export function inTurn(run: () => void): void {
  waiting.push(run);
  if (waiting.length === 1) setImmediate(next);
}

function next(): void {
  try {
    waiting[0]?.();
  } finally {
    waiting.shift();
    if (waiting.length > 0) setImmediate(next);
  }
}
