/** Its multiples, modulo 1, fall everywhere. */
const GOLDEN = 0.618034;

/**
 * Up to `count` of `size` items, one of each stretch of them, at another place in each: whoever removes some seldom removes all of
 * these, and an order of whatever kind (every other sector on another disk) does not hide behind them.
 */
export function spread<T>(items: Iterable<T>, size: number, count: number): T[] {
  const stretch = size / count;
  const picked: T[] = [];
  let index = 0;
  for (const item of items) {
    const turn = picked.length;
    if (turn === count) break;
    const within = stretch > 1 ? (turn * GOLDEN) % 1 : 0;
    if (index++ >= Math.floor((turn + within) * Math.max(1, stretch))) picked.push(item);
  }
  return picked;
}
