import { CodedError } from '../errors/coded-error.ts';
import { type BatchChunk, isUnfinished } from './batch-chunk.ts';

export interface BatchFacts {
  /** By the database's clock, as `closeAt`. */
  readonly now: number;
  readonly closeAt: number;
  /** How long before Close unknown sectors are given up when so many proofs are still to make then. */
  readonly reserveMs: (proofs: number) => number;
}

export interface BatchFault {
  readonly sector: number;
  readonly class: 'bad' | 'unknown';
  readonly reason: string;
}

/** Chunks are named by their index. `needless`: unfinished, and of no use any more to whoever asked. */
export type BatchDecision =
  | { readonly kind: 'join' }
  | { readonly kind: 'tell'; readonly faults: readonly BatchFault[]; readonly needless: readonly number[] }
  | { readonly kind: 'refuse'; readonly error: CodedError; readonly needless: readonly number[] }
  | {
      readonly kind: 'wait';
      readonly submit: readonly number[];
      readonly needless: readonly number[];
      /** Something falls due then, if nothing happens before. */
      readonly dueAt: number;
    };

/**
 * What a request of a foreign manager is answered, and when. That manager gives the request up on an error, and leaves every
 * sector that it is told of out for good: it asks for the rest again, 5 s later. So:
 *
 * * Proofs are joined in the order of the union, whichever came first; a chunk is proven once, whoever asks for it.
 * * A failed chunk, or one with unknown sectors, is submitted again: an error or a skipped sector would be for ever, a pause is not.
 * * Bad sectors are told once every chunk was read to its end, so that they all come in one answer. From the first bad one on, the
 *   chunks of the next request hold other sectors: what is proven there is of no use, so it is ended as soon as it was read. What
 *   lies before comes again as it is, and goes on. Unknown sectors are not waited for then: the next request has them again.
 * * In the reserve before Close unknown sectors are told as faults, if that leaves anything to prove: a longer wait would lose what
 *   can be proven without them. Otherwise nothing is an error before Close: while a chunk fails, its next attempt may still do.
 * * Bad input, and a chunk that was cancelled by hand, are told at once: no wait can help.
 */
export function decideBatch(chunks: readonly BatchChunk[], facts: BatchFacts): BatchDecision {
  if (chunks.every(({ state }) => state === 'proven')) return { kind: 'join' };
  const error = refusal(chunks, facts);
  // At Close the queue ends what nobody asked for with a later one.
  if (error !== undefined)
    return { kind: 'refuse', error, needless: facts.now < facts.closeAt ? unfinished(chunks) : [] };
  const lateAt = facts.closeAt - facts.reserveMs(proofsLeft(chunks));
  const faults = faultsToTell(chunks, facts.now >= lateAt);
  if (faults.length > 0) {
    const told = new Set(faults.map(({ sector }) => sector));
    const first = chunks.findIndex(({ bad, unknown }) => [...bad.keys(), ...unknown.keys()].some((id) => told.has(id)));
    return { kind: 'tell', faults, needless: unfinished(chunks).filter((index) => index >= first) };
  }
  const firstBad = chunks.findIndex(({ bad }) => bad.size > 0);
  const mayAsk = ({ state, isRead }: BatchChunk): boolean =>
    state === 'unasked' || ((state === 'failed' || state === 'faulted') && (firstBad === -1 || !isRead));
  const asked = chunks.flatMap((chunk, index) => (mayAsk(chunk) ? [{ index, at: chunk.submitAt }] : []));
  const later = [...asked.map(({ at }) => at), lateAt, facts.closeAt].filter((at) => at > facts.now);
  return {
    kind: 'wait',
    submit: asked.filter(({ at }) => at <= facts.now).map(({ index }) => index),
    needless: firstBad === -1 ? [] : unfinished(chunks).filter((index) => index > firstBad && chunks[index]?.isRead),
    dueAt: Math.min(...later),
  };
}

function refusal(chunks: readonly BatchChunk[], { now, closeAt }: BatchFacts): CodedError | undefined {
  const of = (index: number): string => `chunk ${index + 1} of ${chunks.length}`;
  const badTask = chunks.findIndex(({ state, failure }) => state === 'failed' && failure?.startsWith('bad-task'));
  if (badTask !== -1) return new CodedError('bad-task', `${of(badTask)}: ${chunks[badTask]?.failure}`);
  if (now >= closeAt) {
    const open = chunks.findIndex(({ state }) => state !== 'proven');
    const last = chunks[open]?.failure ?? 'no slave was done with it';
    return new CodedError('deadline-closed', `the deadline closed before all was proven; ${of(open)}: ${last}`);
  }
  const cancelled = chunks.findIndex(({ state }) => state === 'cancelled');
  if (cancelled === -1) return undefined;
  return new CodedError('task-cancelled', `${of(cancelled)}: ${chunks[cancelled]?.failure ?? 'cancelled'}`);
}

/** Ascending; none: nothing is told now. */
function faultsToTell(chunks: readonly BatchChunk[], isLate: boolean): BatchFault[] {
  const faultsOf = (kind: 'bad' | 'unknown'): BatchFault[] =>
    chunks.flatMap((chunk) => [...chunk[kind]].map(([sector, reason]) => ({ sector, class: kind, reason })));
  const bad = faultsOf('bad');
  if (isLate) {
    const all = [...bad, ...faultsOf('unknown')].sort((a, b) => a.sector - b.sector);
    if (all.length < chunks.reduce((sum, { sectors }) => sum + sectors.length, 0)) return all;
  }
  return chunks.every(({ isRead }) => isRead) ? bad.sort((a, b) => a.sector - b.sector) : [];
}

/** Were all known faults left out: what lies before the first one and is proven is not proven again. */
function proofsLeft(chunks: readonly BatchChunk[]): number {
  const first = chunks.findIndex(({ bad, unknown }) => bad.size + unknown.size > 0);
  return chunks.filter(({ state }, index) => state !== 'proven' || (first !== -1 && index >= first)).length;
}

function unfinished(chunks: readonly BatchChunk[]): number[] {
  return chunks.flatMap((chunk, index) => (isUnfinished(chunk) ? [index] : []));
}
