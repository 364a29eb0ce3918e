import type { Clock } from '../../clock/clock.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { rehearse } from '../../ext-processor/rehearser.ts';
import type { WindowPostOutput } from '../../rpc/window-post.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** Reads sectors without proving them, one rehearsal at a time: proofs read the same disks. */
export class Rehearsals {
  readonly #components: { readonly clock: Clock; readonly logger: Logger };
  readonly #init: { readonly env: NodeJS.ProcessEnv; readonly stores: readonly string[] | undefined };
  readonly #closing = new AbortController();
  #isBusy = false;

  constructor(
    components: { readonly clock: Clock; readonly logger: Logger },
    init: { readonly env: NodeJS.ProcessEnv; readonly stores: readonly string[] | undefined },
  ) {
    this.#components = components;
    this.#init = init;
  }

  /** @throws CodedError `busy`, `bad-task`, and those of the prover */
  async run(task: Uint8Array | undefined): Promise<WindowPostOutput> {
    if (task === undefined) throw new CodedError('bad-task', 'it came without its task');
    if (this.#isBusy) throw new CodedError('busy', 'another rehearsal is under way here');
    this.#isBusy = true;
    try {
      const { env, stores } = this.#init;
      return await rehearse(this.#components, task, { env, signal: this.#closing.signal, ...(stores && { stores }) });
    } finally {
      this.#isBusy = false;
    }
  }

  close(): void {
    this.#closing.abort(new CodedError('slave-stopping', 'the slave is stopping'));
  }
}
