import { z } from 'zod';
import { type RehearsalOutput, type WindowPostOutput, windowPostOutput, windowPostTask } from './window-post.ts';

/** What we speak. A peer one version away is understood too, so that a cluster is upgraded while it proves. */
export const RPC_VERSION = 2;

export const scopes = ['slave', 'submit', 'admin', 'read'] as const;
export type Scope = (typeof scopes)[number];

/** `tasks.slave` of the seed is a VARCHAR(100). */
export const MAX_NAME_LENGTH = 100;

const MAX_ATTEMPTS = 1_000;
const MAX_STORES = 10_000;
/** 192 bytes for each of some partitions. */
const MAX_PROOF_LENGTH = 10_000;

/** Ours have 32 characters, adopted ones as many as `task_details.task_id` takes. */
const id = z.string().min(1).max(255);
const attemptId = z.object({ id, attempt: z.number().int().positive() });
const count = z.number().int().nonnegative();
const reason = z.string().max(10_000);
/** Milliseconds since 1970 that a Date holds. */
const time = z.number().int().positive().max(8.64e15);
const slaveName = z.string().min(1).max(MAX_NAME_LENGTH);

export const taskStates = ['waiting', 'running', 'proven', 'faulted', 'failed', 'cancelled'] as const;
/** Of one answer to `tasks.list`. */
export const MAX_LISTED = 10_000;

/** Names one lease. */
export type AttemptId = z.infer<typeof attemptId>;

const heartbeat = attemptId.extend({
  phase: z.enum(['reading', 'waiting', 'proving', 'verifying']),
  done: count,
  total: count,
});
export type Heartbeat = z.infer<typeof heartbeat>;

/** A persist store where the manager has it. */
const storePlace = z.object({ name: z.string().min(1).max(1_024), path: z.string().min(1).max(4_096) });
const storePlaces = z.array(storePlace).max(MAX_STORES);
export type StorePlace = z.infer<typeof storePlace>;

const hello = z.object({
  version: z.number().int(),
  role: z.enum(['slave', 'submitter', 'operator']),
  name: z.string().min(1).max(MAX_NAME_LENGTH),
  /** Of the program that connects, the same over all its connections: two slaves, or two managers, may have one name. */
  instance: z.string().min(1).max(64).optional(),
  /** Ready slots, busy ones too; 0 while the prover does not start. */
  slots: count.optional(),
  /** The only sector size that the slave proves, in bytes; null: any. */
  sectorSize: z.number().int().nullable().optional(),
  /** What the slave works on, or holds a result of. */
  attempts: z.array(attemptId).max(MAX_ATTEMPTS).optional(),
  /** Directories below which the slave can read sectors; absent: any. */
  stores: z.array(z.string().min(1)).max(MAX_STORES).optional(),
  /** Names of stores that the slave has at a place of its own. */
  attached: z.array(z.string().min(1)).max(MAX_STORES).optional(),
});
export type Hello = z.infer<typeof hello>;

/** Why an attempt failed: bad input; this slave (parameters, GPU, memory); or something that may pass. */
const failureClass = z.enum(['permanent', 'slave', 'transient']);
export type FailureClass = z.infer<typeof failureClass>;

/** Params of what slaves and submitters call on the master. */
export const masterParams = {
  hello,
  /** The task is the call's attachment, its JSON, which is cheapest where it is canonical (`canonicalTask`); or it is `task`. */
  'task.submit': z.object({ task: windowPostTask.optional(), closeAt: time.nullable() }),
  'task.get': z.object({ id }),
  'task.cancel': z.object({ id, reason }),
  /** Whoever asked for the task could not verify this proof of it, in base64: another one is made, by another slave first. */
  'task.refuse': z.object({ id, proof: z.base64().max(MAX_PROOF_LENGTH), reason }),
  /** A slave reads what a proof of the attached task would read, without proving: its answer has faults and no proof. */
  'task.rehearse': z.object({}),
  /** All persist stores of a submitter; the last word of each submitter counts. */
  'stores.tell': z.object({ stores: storePlaces }),
  'slave.heartbeat': z.object({ attempts: z.array(heartbeat).max(MAX_ATTEMPTS), free: count }),
  'attempt.finish': attemptId.extend({ output: windowPostOutput }),
  'attempt.fail': attemptId.extend({ class: failureClass, reason }),
  /** A request of a foreign manager: cut into partitions, proven side by side, joined. Answered when that is done, or refused. */
  'batch.prove': z.object({ task: windowPostTask, closeAt: time.nullable() }),
  'tasks.list': z.object({
    states: z.array(z.enum(taskStates)).optional(),
    minerId: count.optional(),
    archived: z.boolean().optional(),
    limit: z.number().int().positive().max(MAX_LISTED),
  }),
  'tasks.show': z.object({ id }),
  'tasks.reset': z.object({ id }),
  'tasks.cancel': z.object({ id, reason }),
  'tasks.remove': z.object({ id }),
  /** Without an id: every finished task, whatever its age. */
  'tasks.archive': z.object({ id: id.optional() }),
  'slaves.list': z.object({}),
  'slaves.drain': z.object({ name: slaveName }),
  'slaves.resume': z.object({ name: slaveName }),
};

/** What a connection must have, of its token, to call; hello needs the scope of its role. */
export const methodScopes = {
  'task.submit': 'submit',
  'task.get': 'submit',
  'task.cancel': 'submit',
  'task.refuse': 'submit',
  'task.rehearse': 'submit',
  'stores.tell': 'submit',
  'slave.heartbeat': 'slave',
  'attempt.finish': 'slave',
  'attempt.fail': 'slave',
  'batch.prove': 'submit',
  'tasks.list': 'read',
  'tasks.show': 'read',
  'tasks.reset': 'admin',
  'tasks.cancel': 'admin',
  'tasks.remove': 'admin',
  'tasks.archive': 'admin',
  'slaves.list': 'read',
  'slaves.drain': 'admin',
  'slaves.resume': 'admin',
} as const satisfies Record<Exclude<keyof typeof masterParams, 'hello'>, Scope>;

export const roleScopes = { slave: 'slave', submitter: 'submit', operator: 'read' } as const satisfies Record<
  Hello['role'],
  Scope
>;

/** Params of what the master calls on a slave, and of its notification to submitters (`task.changed`). */
export const peerParams = {
  /** The task comes as the call's attachment, its JSON as stored; to a slave of version 1 as `task`, and without the facts. */
  'attempt.start': attemptId.extend({
    closeAt: z.number().nullable(),
    /** Until Close from now on, in milliseconds: the clock of the slave may be wrong by any amount. */
    closesInMs: z.number().nullable().optional(),
    facts: z.object({ minerId: count, proofType: z.string(), sectors: count }).optional(),
    /** To a slave that has stores at places of its own: where the task's paths have them. */
    stores: storePlaces.optional(),
    task: windowPostTask.optional(),
  }),
  'attempt.cancel': attemptId.extend({ reason }),
  'task.changed': z.object({ id, state: z.string() }),
  /** As the master's; the task comes as the call's attachment. */
  'task.rehearse': z.object({ stores: storePlaces.optional() }),
};

/** A task as people and the poster see it. Times in milliseconds since 1970 (of columns that keep whole seconds). */
export interface TaskView {
  readonly id: string;
  readonly state: (typeof taskStates)[number];
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

/** A task in a list. Times in milliseconds since 1970. */
export interface TaskSummary {
  readonly id: string;
  readonly state: TaskView['state'];
  readonly minerId: number | null;
  readonly sectors: number | null;
  readonly closeAt: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly attempts: number;
  readonly slave: string | null;
  readonly phase: string | null;
  readonly done: number;
  readonly total: number;
  readonly error: string | null;
}

export interface AttemptReport {
  readonly attempt: number;
  readonly slave: string;
  readonly phase: string | null;
  readonly done: number;
  readonly total: number;
  readonly startedAt: number;
  readonly heartbeatAt: number;
  readonly endedAt: number | null;
  readonly outcome: string | null;
  readonly reason: string | null;
}

export interface TaskReport extends TaskView {
  readonly archived: boolean;
  readonly minerId: number | null;
  readonly proofType: string | null;
  readonly sectors: number | null;
  readonly history: readonly AttemptReport[];
}

export interface SlaveReport {
  readonly name: string;
  readonly state: 'ready' | 'not ready' | 'draining' | 'drained' | 'held back' | 'away';
  readonly remote: string;
  readonly version: number;
  /** Ready slots and how many of them work. */
  readonly slots: number;
  readonly busy: number;
  readonly sectorSize: number | null;
  readonly joinedAt: number;
  readonly leftAt: number | null;
  readonly heldUntil: number | null;
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
  'task.refuse': TaskView | null;
  'task.rehearse': RehearsalOutput;
  'stores.tell': null;
  'slave.heartbeat': { closed: AttemptId[] };
  'attempt.finish': Verdict;
  'attempt.fail': Verdict;
  'batch.prove': WindowPostOutput;
  'tasks.list': readonly TaskSummary[];
  'tasks.show': TaskReport | null;
  'tasks.reset': TaskView | null;
  'tasks.cancel': TaskView | null;
  'tasks.remove': { removed: boolean };
  'tasks.archive': { archived: number };
  'slaves.list': readonly SlaveReport[];
  'slaves.drain': SlaveReport | null;
  'slaves.resume': SlaveReport | null;
}

interface PeerResults {
  'attempt.start': Verdict;
  'attempt.cancel': null;
  'task.changed': null;
  'task.rehearse': RehearsalOutput;
}

/** Names with the types of their params and results. */
export type MethodMap = Record<string, { params: unknown; result: unknown }>;

type Methods<P extends Record<string, z.ZodType>, R extends Record<keyof P, unknown>> = {
  [M in keyof P & string]: { params: z.infer<P[M]>; result: R[M] };
};

export type MasterMethods = Methods<typeof masterParams, MasterResults>;
export type PeerMethods = Methods<typeof peerParams, PeerResults>;
