import type { Toolbox } from './toolbox.ts';

export interface Answer {
  /** The whole answer for programs. */
  readonly json: unknown;
  /** The same for people. */
  readonly text: string;
  /** Exit code of the program: 0 where absent, 1 for an answer that is bad news. */
  readonly exitCode?: number;
}

/** What was written on the command line. */
export interface Written {
  /** Arguments in their order; one that may be absent and is, is undefined. */
  readonly args: readonly (string | undefined)[];
  /** Options of the verb and of all groups above it, named as commander does: `--ddl-idx` is `ddlIdx`. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Option {
  /** As commander writes it: `--miner <id>`, `-n, --sector-nums`. */
  readonly flags: string;
  readonly about: string;
  readonly default?: string;
}

export interface Verb {
  readonly name: string;
  /** As commander writes them, `<idx>` or `[idx]`. */
  readonly args?: readonly string[];
  readonly about: string;
  readonly options?: readonly Option[];
  /** What follows the verb in the example of --help, where arguments or options must be there. */
  readonly example?: string;
  /** @throws CodedError; one with the code `usage` ends the program with 2, any other with 1 */
  readonly run: (toolbox: Toolbox, written: Written) => Promise<Answer>;
}

/** A word that only leads on: `chain`, `sealer proving`. Its options may be written before the verb. */
export interface Group {
  readonly name: string;
  readonly about: string;
  readonly options?: readonly Option[];
  readonly members: readonly (Verb | Group)[];
}
