/** Facts that belong to an error: what, where, which value. Never a secret, never a proof body. */
export type ErrorData = Readonly<Record<string, unknown>>;

/**
 * The project's only error class. `code` is stable (logs, JSON-RPC and tests rely on it), `message` is one line that
 * says what is wrong, where, and what to do.
 */
export class CodedError extends Error {
  readonly code: string;
  readonly data: ErrorData;

  constructor(
    code: string,
    message: string,
    options: { readonly cause?: unknown; readonly [key: string]: unknown } = {},
  ) {
    const { cause, ...data } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CodedError';
    this.code = code;
    this.data = data;
  }
}

/** `error.code` of our own errors, of Node's system errors and of the database driver; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** One line for people: the message and the messages of its causes. */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && parts.length < 5; at = at instanceof Error ? at.cause : undefined) {
    const text = at instanceof Error ? at.message || errorCode(at) || at.name : String(at);
    if (!parts.includes(text)) parts.push(text);
  }
  return parts.join(': ').replaceAll(/\s*\n\s*/g, ' ');
}
