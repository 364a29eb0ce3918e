import type { Readable, Writable } from 'node:stream';
import { CodedError, errorText } from '../errors/coded-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import { lineSplitter } from './line-splitter.ts';

/**
 * Answers one task of the parent with its `output`; what it throws becomes `err_msg`.
 * @param signal aborts when the parent is gone
 */
export type AnswerTask = (task: object, signal: AbortSignal) => Promise<object>;

export interface LineServerInit {
  /** Names the ready line: `<stage> processor ready`. */
  readonly stage: string;
  readonly input: Readable;
  readonly output: Writable;
  readonly answer: AnswerTask;
}

interface Request {
  /** Digits as they came: it is an u64, more than a number here can hold. */
  readonly id: string;
  readonly task: unknown;
}

/** The parent limits what it asks at once; what it asks beyond this waits unread, so that it cannot fill our memory. */
const MOST_REQUESTS = 1_000;
const MOST_CHARACTERS = 128 * 2 ** 20;
const QUOTED_CHARACTERS = 200;
const STRING_OR_BRACKET = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;
const DIGITS = /\s*:\s*(\d+)\s*[,}]/y;

/** The child's role of the ext-processor line protocol: the ready line, then one answer for each request, in any order. */
export class LineServer {
  readonly #logger: Logger;
  readonly #init: LineServerInit;
  readonly #gone = new AbortController();
  readonly #waiting: string[] = [];
  readonly #inProgress = new Set<string>();
  #characters = 0;

  constructor(components: { readonly logger: Logger }, init: LineServerInit) {
    this.#logger = components.logger;
    this.#init = init;
  }

  /**
   * Serves until the parent closes its end, or the signal.
   * @throws CodedError `line-too-long`
   */
  async serve(signal: AbortSignal): Promise<void> {
    const { stage, input, output } = this.#init;
    try {
      await new Promise<void>((resolve, reject) => {
        const split = lineSplitter((line) => this.#receive(line));
        signal.addEventListener('abort', () => resolve(), { once: true });
        // Whoever reads no answers asks nothing any more.
        output.on('error', () => resolve());
        for (const end of ['end', 'close', 'error']) input.once(end, () => resolve());
        input.on('data', (chunk: Buffer) => {
          try {
            split(chunk);
          } catch (error) {
            reject(error);
          }
        });
        output.write(`${stage} processor ready\n`);
        if (signal.aborted) resolve();
      });
    } finally {
      this.#gone.abort(new CodedError('parent-gone', 'the parent process is gone'));
      input.destroy();
    }
  }

  #receive(line: string): void {
    if (line.trim() === '') return;
    this.#waiting.push(line);
    this.#goOn();
  }

  #goOn(): void {
    for (let [line] = this.#waiting; line !== undefined; [line] = this.#waiting) {
      const isAlone = this.#inProgress.size === 0;
      const isFull = this.#inProgress.size >= MOST_REQUESTS || this.#characters + line.length > MOST_CHARACTERS;
      if (isFull && !isAlone) return;
      this.#waiting.shift();
      this.#begin(line);
    }
  }

  #begin(line: string): void {
    const request = parseRequest(line);
    if (request === undefined) {
      this.#logger.warn({ line: line.slice(0, QUOTED_CHARACTERS) }, 'lines: skipped, not a request of the protocol');
      return;
    }
    const { id, task } = request;
    // An answer too many stops the Go parent for ever.
    if (this.#inProgress.has(id)) {
      this.#logger.warn({ id }, 'lines: skipped, a request with this id is being answered');
      return;
    }
    this.#inProgress.add(id);
    this.#characters += line.length;
    void this.#answer(id, task).finally(() => {
      this.#inProgress.delete(id);
      this.#characters -= line.length;
      this.#goOn();
    });
  }

  async #answer(id: string, task: unknown): Promise<void> {
    const { signal } = this.#gone;
    try {
      if (typeof task !== 'object' || task === null) throw new CodedError('bad-task', 'the request has no task');
      this.#say(id, null, await this.#init.answer(task, signal));
    } catch (error) {
      if (signal.aborted) return;
      this.#logger.warn({ id, error: errorText(error) }, 'lines: a request is answered with an error');
      this.#say(id, errorText(error), null);
    }
  }

  #say(id: string, message: string | null, output: object | null): void {
    if (this.#gone.signal.aborted) return;
    // The v0.5 parent takes err_msg for a format string.
    const text = JSON.stringify(message?.replaceAll('%', '\uFF05') ?? null);
    this.#init.output.write(`{"id":${id},"err_msg":${text},"output":${JSON.stringify(output)}}\n`);
  }
}

/** Undefined for a line that cannot be answered. */
function parseRequest(line: string): Request | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  const isExact = Number.isSafeInteger(value.id) && Number(value.id) >= 0;
  const id = isExact ? `${value.id}` : typeof value.id === 'number' ? outermostId(line) : undefined;
  return id === undefined ? undefined : { id, task: 'task' in value ? value.task : undefined };
}

/** Its digits as they stand in a line of JSON; parsed, they would be rounded. */
function outermostId(line: string): string | undefined {
  let depth = 0;
  let digits: string | undefined;
  for (const { 0: token, index } of line.matchAll(STRING_OR_BRACKET)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && token === '"id"') {
      DIGITS.lastIndex = index + token.length;
      digits = DIGITS.exec(line)?.[1] ?? digits;
    }
  }
  return digits;
}
