import { CodedError } from '../../../errors/coded-error.ts';
import { MAX_LISTED, taskStates } from '../../../rpc/methods.ts';
import { shortId, taskList, taskReport } from './task-text.ts';
import type { VerbGroup } from './verb.ts';

const LISTED = 100;
/** Sorting a million archived tasks reads them all. */
const LIST_LIMIT_MS = 120_000;
/** Thousands of rows with bodies of a megabyte are moved. */
const ARCHIVE_LIMIT_MS = 3_600_000;

export const taskVerbs: VerbGroup = {
  name: 'tasks',
  about: 'look at proving tasks, and change what becomes of them',
  verbs: [
    {
      name: 'list',
      example: '--state running,waiting --json',
      about: 'list tasks, the newest first',
      options: [
        { flags: '--state <states>', about: `only these, separated by commas: ${taskStates.join(', ')}` },
        { flags: '--miner <id>', about: 'only those of this miner, 1447 or f01447' },
        { flags: '--archived', about: 'those in tasks_archived' },
        { flags: '--limit <count>', about: 'so many at most', default: String(LISTED) },
      ],
      async run(ask, { options }, now) {
        const limit = readLimit(options.limit);
        const minerId = readMiner(options.miner);
        const states = readStates(options.state);
        const tasks = await ask(
          'tasks.list',
          {
            limit,
            ...(states !== undefined && { states }),
            ...(minerId !== undefined && { minerId }),
            ...(options.archived === true && { archived: true }),
          },
          { timeoutMs: LIST_LIMIT_MS },
        );
        const more = tasks.length === limit ? `\nthe newest ${limit}; --limit shows more` : '';
        return { json: tasks, text: taskList(tasks, now) + more };
      },
    },
    {
      name: 'show',
      argument: '<id>',
      example: '6f1c2a9b',
      about: 'show all that is known of a task, archived or not, with its attempts',
      async run(ask, { subject }, now) {
        const task = found(await ask('tasks.show', { id: subject }), subject);
        return { json: task, text: taskReport(task, now) };
      },
    },
    {
      name: 'reset',
      argument: '<id>',
      example: '6f1c2a9b',
      about: 'let a task wait again as if it were new; what works on it is stopped',
      async run(ask, { subject }) {
        const task = found(await ask('tasks.reset', { id: subject }), subject);
        return { json: task, text: `task ${shortId(task.id)} is ${task.state}` };
      },
    },
    {
      name: 'cancel',
      argument: '<id>',
      example: '6f1c2a9b --reason "wrong seed"',
      about: 'end a waiting or running task without a result; what works on it is stopped',
      options: [{ flags: '--reason <text>', about: 'why, for its record', default: 'by an operator' }],
      async run(ask, { subject, options }) {
        const reason = String(options.reason);
        const task = found(await ask('tasks.cancel', { id: subject, reason }), subject);
        return { json: task, text: `task ${shortId(task.id)} is ${task.state}` };
      },
    },
    {
      name: 'remove',
      argument: '<id>',
      example: '6f1c2a9b',
      about: 'delete a finished task, archived or not',
      async run(ask, { subject }) {
        const answer = await ask('tasks.remove', { id: subject });
        if (!answer.removed) throw notFound(subject);
        return { json: answer, text: 'removed' };
      },
    },
    {
      name: 'archive',
      argument: '[id]',
      about: 'move finished tasks to tasks_archived now: one, or all whatever their age',
      async run(ask, { subject }) {
        const params = subject === '' ? {} : { id: subject };
        const answer = await ask('tasks.archive', params, { timeoutMs: ARCHIVE_LIMIT_MS });
        if (subject !== '' && answer.archived === 0) {
          throw new CodedError('not-found', `no finished task begins with ${subject}, or it is archived already`);
        }
        return { json: answer, text: answer.archived === 1 ? '1 task archived' : `${answer.archived} tasks archived` };
      },
    },
  ],
};

function found<T>(answer: T | null, written: string): T {
  if (answer === null) throw notFound(written);
  return answer;
}

function notFound(written: string): CodedError {
  return new CodedError('not-found', `no task begins with ${written}`);
}

function readLimit(written: unknown): number {
  const limit = Number(written);
  if (Number.isInteger(limit) && limit > 0 && limit <= MAX_LISTED) return limit;
  throw new CodedError('usage', `--limit is ${written}; write a number from 1 to ${MAX_LISTED}`);
}

function readMiner(written: unknown): number | undefined {
  if (written === undefined) return undefined;
  const digits = /^(?:[ft]0)?(\d+)$/.exec(String(written))?.[1];
  if (digits !== undefined) return Number(digits);
  throw new CodedError('usage', `--miner is ${written}; write 1447 or f01447`);
}

function readStates(written: unknown) {
  if (written === undefined) return undefined;
  return String(written)
    .split(',')
    .map((word) => {
      const state = taskStates.find((candidate) => candidate === word.trim());
      if (state !== undefined) return state;
      throw new CodedError('usage', `--state ${word.trim()} is not known; use ${taskStates.join(', ')}`);
    });
}
