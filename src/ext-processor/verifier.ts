import { z } from 'zod';
import type { Clock } from '../clock/clock.ts';
import { CodedError } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { proverBinary } from './prover-binary.ts';
import { ProverKeeper } from './prover-keeper.ts';

export interface VerifyInput {
  readonly minerId: number;
  /** Name of the proofs library, `StackedDrgWindow2KiBV1_2`. */
  readonly proofType: string;
  /** 32 bytes, masked or not. */
  readonly seed: Uint8Array;
  readonly sectors: readonly { readonly sectorId: number; readonly commR: Uint8Array }[];
  /** 192 bytes for each partition. */
  readonly proof: Uint8Array;
}

interface Verdict {
  readonly valid: boolean;
  /** Why not; null when valid. */
  readonly reason: string | null;
}

export interface Verifier {
  /** @throws CodedError `prover-unavailable`, `prover-failed` (could not judge), `prover-exited`, `time-limit`: no verdict at all. */
  verify(input: VerifyInput): Promise<Verdict>;
  /**
   * The same for a window_post task as it is stored, which is passed on unread.
   * @param task its JSON in UTF-8
   */
  verifyTask(task: Uint8Array, proof: Uint8Array): Promise<Verdict>;
  close(): Promise<void>;
}

export interface VerifierInit {
  /** Default: `proverBinary()`. */
  readonly bin?: string;
  /** Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly limitMs?: number;
}

interface Child {
  readonly keeper: ProverKeeper;
  /** Questions that are under way. */
  asked: number;
}

const STAGE = 'window_post_verify';
/** A verification takes milliseconds, the first one after a start as long as reading a .vk. */
const VERIFY_LIMIT_MS = 30_000;
const READY_LIMIT_MS = 60_000;

const verdict = z.object({ valid: z.boolean(), reason: z.string().nullable() });

/**
 * Judges window PoSt proofs in a persistent child that needs only the .vk files. It starts at once and is kept running. A child keeps
 * the .vk that it has read: so a proof is called invalid only when one that was started since says so, too. That one takes its place.
 */
export function createVerifier(
  components: { readonly clock: Clock; readonly logger: Logger },
  init: VerifierInit = {},
): Verifier {
  const limitMs = init.limitMs ?? VERIFY_LIMIT_MS;
  const children = new Set<Child>();
  let current = start();
  let renewal: Promise<void> | undefined;

  function start(): Child {
    const keeper = new ProverKeeper(components, {
      bin: init.bin ?? proverBinary(init.env),
      args: ['processor', STAGE],
      stage: STAGE,
      readyTimeoutMs: READY_LIMIT_MS,
      ...(init.env === undefined ? {} : { env: init.env }),
    });
    const child = { keeper, asked: 0 };
    children.add(child);
    return child;
  }

  async function end(child: Child): Promise<void> {
    await child.keeper.close();
    children.delete(child);
  }

  /** Whoever asked the old child still has its answer. */
  async function renew(): Promise<void> {
    const next = start();
    await next.keeper.untilReady(limitMs).catch(async (error: unknown) => {
      await end(next);
      throw error;
    });
    const before = current;
    current = next;
    if (before.asked === 0) void end(before);
  }

  async function ask(child: Child, task: Uint8Array, proof: Uint8Array): Promise<Verdict> {
    const { keeper } = child;
    child.asked++;
    try {
      await keeper.untilReady(limitMs);
      return await askReady(keeper, task, proof);
    } finally {
      child.asked--;
      if (child.asked === 0 && child !== current) void end(child);
    }
  }

  async function askReady(keeper: ProverKeeper, task: Uint8Array, proof: Uint8Array): Promise<Verdict> {
    const tooLate = new AbortController();
    const callOff = components.clock.after(limitMs, () => {
      tooLate.abort(new CodedError('time-limit', `the verifier gave no answer within ${limitMs} ms`));
      void keeper.restart();
    });
    try {
      const request = Buffer.concat([
        Buffer.from(`{"proof":"${Buffer.from(proof).toString('base64')}","task":`),
        task,
        Buffer.from('}'),
      ]);
      const answer = verdict.safeParse(await keeper.request(request, { signal: tooLate.signal }));
      if (!answer.success) throw new CodedError('prover-failed', 'the verifier gave an answer without a verdict');
      return answer.data;
    } finally {
      callOff();
    }
  }

  async function verifyTask(task: Uint8Array, proof: Uint8Array): Promise<Verdict> {
    const asked = current;
    const first = await ask(asked, task, proof);
    if (first.valid) return first;
    if (asked === current) {
      renewal ??= renew().finally(() => {
        renewal = undefined;
      });
      await renewal;
    }
    return await ask(current, task, proof);
  }

  return {
    verify: (input) => verifyTask(Buffer.from(JSON.stringify(statementOf(input))), input.proof),
    verifyTask,
    async close() {
      await Promise.all([...children].map(end));
    },
  };
}

/** What of a window_post task a proof stands for: the files do not matter. */
function statementOf({ minerId, proofType, seed, sectors }: VerifyInput): unknown {
  return {
    miner_id: minerId,
    proof_type: proofType,
    seed: [...seed],
    replicas: sectors.map(({ sectorId, commR }) => ({ sector_id: sectorId, comm_r: [...commR] })),
  };
}
