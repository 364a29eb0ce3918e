import { CodedError } from '../../errors/coded-error.ts';

/**
 * One name of a path against `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a character that is meant as it is.
 * @throws CodedError `bad-pattern`
 */
export function globToRegExp(pattern: string): RegExp {
  const source = pattern.replaceAll(/\*+|\?|\[(\^?)((?:\\.|[^\]\\])+)\]|\\(.)|./gs, (part, not, members, escaped) => {
    if (part.startsWith('*')) return '.*';
    if (part === '?') return '.';
    if (members !== undefined) return `[${not}${members.replaceAll(/\\(.)|[[\]^]/g, literalMember)}]`;
    if (escaped !== undefined) return literal(escaped);
    if (part === '[' || part === '\\') throw bad(pattern);
    return literal(part);
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    throw bad(pattern);
  }
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}

function literalMember(part: string, escaped: string | undefined): string {
  return `\\${escaped ?? part}`;
}

function bad(pattern: string): CodedError {
  return new CodedError(
    'bad-pattern',
    `${JSON.stringify(pattern)} is no pattern; write it as s-t01000-1[0-9] or s-t01000-*`,
  );
}
