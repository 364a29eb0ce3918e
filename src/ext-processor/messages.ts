import { z } from 'zod';

/**
 * What a child works at; our own provers say so with `--progress`. `done` and `total` count sectors while reading. While waiting
 * (for memory of the host) `done` is seconds, while proving CPU seconds, and `total` 0.
 */
const progress = z.object({
  phase: z.enum(['reading', 'waiting', 'proving', 'verifying']),
  done: z.number(),
  total: z.number(),
});
export type ProverProgress = z.infer<typeof progress>;

/** A line of a child's stdout after its ready line: an answer, or our own progress line. */
const childLine = z.union([
  z.object({ id: z.number(), progress }),
  z.object({ id: z.number(), err_msg: z.string().nullish(), output: z.unknown() }),
]);
type ChildLine = z.infer<typeof childLine>;

/** Undefined for anything that is not a line of the protocol. */
export function parseChildLine(line: string): ChildLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return childLine.safeParse(value).data;
}
