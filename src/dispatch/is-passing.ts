import { errorCode } from '../errors/coded-error.ts';

/** The database is away, or the row on its way to the archive: the same may be asked again. */
export function isPassing(error: unknown): boolean {
  return ['database-unavailable', 'task-archived'].includes(errorCode(error) ?? '');
}
