/** Resolves when all that came in this turn of the event loop was handed out; at once where nothing else did. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
