/**
 * Cuts the sorted union of sectors into full chunks of `size`: the partitions of a proof, as the chain's verifier sees
 * them.
 */
export function chunkUnion(sectors: Iterable<number>, size: number): number[][] {
  const sorted = [...new Set(sectors)].sort((a, b) => a - b);
  return Array.from({ length: Math.ceil(sorted.length / size) }, (_, chunk) =>
    sorted.slice(chunk * size, (chunk + 1) * size),
  );
}

/**
 * Whether the proofs of these partitions, each proven alone, may stand in one message in this order.
 *
 * The verifier is not told where partitions end: it sorts all sectors of the message and cuts them into full chunks.
 * The proofs join only where that gives back exactly these partitions. `partitions` holds the sectors proven of each,
 * in any order.
 */
export function sharesMessage(partitions: readonly (readonly number[])[], size: number): boolean {
  const chunks = chunkUnion(partitions.flat(), size);
  // As many chunks as partitions, each partition within its chunk: since the chunks have no sector in common, they are
  // then the same.
  return (
    chunks.length === partitions.length &&
    partitions.every((sectors, index) => {
      const chunk = new Set(chunks[index]);
      return sectors.every((sector) => chunk.has(sector));
    })
  );
}
