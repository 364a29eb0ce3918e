import { z } from 'zod';
import { type WindowPostOutput, windowPostOutput, windowPostTask } from './window-post.ts';

/** What we speak. A peer one version away is understood too, so that a cluster is upgraded while it proves. */
export const RPC_VERSION = 1;

export const scopes = ['slave', 'submit', 'admin', 'read'] as const;
export type Scope = (typeof scopes)[number];

/** `tasks.slave` of the seed is a VARCHAR(100). */
export const MAX_NAME_LENGTH = 100;

const id = z.string().min(1).max(32);
const attemptId = z.object({ id, attempt: z.number().int().positive() });
const count = z.number().int().nonnegative();
const reason = z.string().max(10_000);

/** Names one lease. */
export type AttemptId = z.infer<typeof attemptId>;

const heartbeat = attemptId.extend({ phase: z.enum(['reading', 'proving', 'verifying']), done: count, total: count });
export type Heartbeat = z.infer<typeof heartbeat>;

const hello = z.object({
  version: z.number().int(),
  role: z.enum(['slave', 'submitter']),
  name: z.string().min(1).max(MAX_NAME_LENGTH),
  /** Ready slots, busy ones too; 0 while the prover does not start. */
  slots: count.optional(),
  /** The only sector size that the slave proves, in bytes; null: any. */
  sectorSize: z.number().int().nullable().optional(),
  /** What the slave works on, or holds a result of. */
  attempts: z.array(attemptId).optional(),
});
export type Hello = z.infer<typeof hello>;

/** Why an attempt failed: bad input; this slave (parameters, GPU, memory); or something that may pass. */
const failureClass = z.enum(['permanent', 'slave', 'transient']);
export type FailureClass = z.infer<typeof failureClass>;

/** Params of what slaves and submitters call on the master. */
export const masterParams = {
  hello,
  'task.submit': z.object({ task: windowPostTask, closeAt: z.number().nullable() }),
  'task.get': z.object({ id }),
  'task.cancel': z.object({ id, reason }),
  'slave.heartbeat': z.object({ attempts: z.array(heartbeat), free: count }),
  'attempt.finish': attemptId.extend({ output: windowPostOutput }),
  'attempt.fail': attemptId.extend({ class: failureClass, reason }),
};

/** What a connection must have, of its token, to call; hello needs the scope of its role. */
export const methodScopes = {
  'task.submit': 'submit',
  'task.get': 'submit',
  'task.cancel': 'submit',
  'slave.heartbeat': 'slave',
  'attempt.finish': 'slave',
  'attempt.fail': 'slave',
} as const satisfies Record<Exclude<keyof typeof masterParams, 'hello'>, Scope>;

export const roleScopes = { slave: 'slave', submitter: 'submit' } as const satisfies Record<Hello['role'], Scope>;

/** Params of what the master calls on a slave, and of its notification to submitters (`task.changed`). */
export const peerParams = {
  'attempt.start': attemptId.extend({ task: windowPostTask, closeAt: z.number().nullable() }),
  'attempt.cancel': attemptId.extend({ reason }),
  'task.changed': z.object({ id, state: z.string() }),
};

/** A task as people and the poster see it. Times in milliseconds since 1970 (of columns that keep whole seconds). */
export interface TaskView {
  readonly id: string;
  readonly state: 'waiting' | 'running' | 'proven' | 'faulted' | 'failed' | 'cancelled';
  readonly closeAt: number | null;
  /** Failures of the work since the last submission that opened it. */
  readonly retryCount: number;
  /** Attempts ever made. */
  readonly attempts: number;
  readonly slave: string | null;
  readonly phase: string | null;
  readonly done: number;
  readonly total: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly output: WindowPostOutput | null;
  readonly error: string | null;
}

export interface HelloAnswer {
  version: number;
  /** The master's name. */
  master: string;
  heartbeatTimeoutMs: number;
  /** Attempts that the slave must drop. */
  closed: AttemptId[];
}

/** Whether a lease or a result was taken, and why not. */
export interface Verdict {
  accepted: boolean;
  reason: string | null;
}

interface MasterResults {
  hello: HelloAnswer;
  'task.submit': TaskView;
  'task.get': TaskView | null;
  'task.cancel': TaskView | null;
  'slave.heartbeat': { closed: AttemptId[] };
  'attempt.finish': Verdict;
  'attempt.fail': Verdict;
}

interface PeerResults {
  'attempt.start': Verdict;
  'attempt.cancel': null;
  'task.changed': null;
}

/** Names with the types of their params and results. */
export type MethodMap = Record<string, { params: unknown; result: unknown }>;

type Methods<P extends Record<string, z.ZodType>, R extends Record<keyof P, unknown>> = {
  [M in keyof P & string]: { params: z.infer<P[M]>; result: R[M] };
};

export type MasterMethods = Methods<typeof masterParams, MasterResults>;
export type PeerMethods = Methods<typeof peerParams, PeerResults>;
