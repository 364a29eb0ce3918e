import type { MasterMethods, methodScopes } from '../../../rpc/methods.ts';
import type { CallOptions } from '../../../rpc/rpc-connection.ts';

/** Calls the leading master. */
export type Ask = <M extends keyof typeof methodScopes>(
  method: M,
  params: MasterMethods[M]['params'],
  options?: CallOptions,
) => Promise<MasterMethods[M]['result']>;

export interface Answer {
  /** The whole answer for programs. */
  readonly json: unknown;
  /** The same for people. */
  readonly text: string;
}

/** What was written after the verb. */
export interface Written {
  /** The argument, or '' where there is none. */
  readonly subject: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Verb {
  readonly name: string;
  /** As commander writes it, `<id>` or `[id]`. */
  readonly argument?: string;
  readonly about: string;
  readonly options?: readonly { readonly flags: string; readonly about: string; readonly default?: string }[];
  /** What follows the verb in the example of --help, where something must. */
  readonly example?: string;
  /** `now` in milliseconds since 1970. @throws CodedError for what is not there or cannot be done */
  readonly run: (ask: Ask, written: Written, now: number) => Promise<Answer>;
}

export interface VerbGroup {
  readonly name: string;
  readonly about: string;
  readonly verbs: readonly Verb[];
}
