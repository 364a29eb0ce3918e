import type { Clock } from '../../clock/clock.ts';
import { CodedError } from '../../errors/coded-error.ts';
import { rehearse } from '../../ext-processor/rehearser.ts';
import type { StorePlace } from '../../rpc/methods.ts';
import type { RehearsalOutput } from '../../rpc/window-post.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type AttachedStore, localTask } from './attached-stores.ts';

export interface RehearsalsInit {
  readonly env: NodeJS.ProcessEnv;
  /** Directories below which sectors are read; default: any. */
  readonly stores: readonly string[] | undefined;
  readonly attached: readonly AttachedStore[];
}

/** Reads sectors without proving them, one rehearsal at a time: proofs read the same disks. */
export class Rehearsals {
  readonly #components: { readonly clock: Clock; readonly logger: Logger };
  readonly #init: RehearsalsInit;
  readonly #closing = new AbortController();
  #isBusy = false;

  constructor(components: { readonly clock: Clock; readonly logger: Logger }, init: RehearsalsInit) {
    this.#components = components;
    this.#init = init;
  }

  /** @param places where the task's paths have the stores @throws CodedError `busy`, `bad-task`, and those of the prover */
  async run(task: Uint8Array | undefined, places: readonly StorePlace[] = []): Promise<RehearsalOutput> {
    if (task === undefined) throw new CodedError('bad-task', 'it came without its task');
    if (this.#isBusy) throw new CodedError('busy', 'another rehearsal is under way here');
    this.#isBusy = true;
    try {
      const { env, stores, attached } = this.#init;
      const options = { env, signal: this.#closing.signal, ...(stores && { stores }) };
      return await rehearse(this.#components, localTask(task, { places, attached }), options);
    } finally {
      this.#isBusy = false;
    }
  }

  close(): void {
    this.#closing.abort(new CodedError('slave-stopping', 'the slave is stopping'));
  }
}
