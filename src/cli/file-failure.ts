import { type TenantctlError, conflictError } from '../core/errors.js';

/** What the system refuses where a folder or its rights are not as a command needs them. */
const REFUSALS = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR']);
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** A file or folder that could not be used is for the user to mend, and no bug (exit 5); undefined for any other error. */
export function fileFailure(error: unknown): TenantctlError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', syscall, path, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined || path === undefined) return undefined;
  const about = { facts: { path, errno: code }, cause: error };
  if (FULL.has(code))
    return conflictError('DISK_FULL', `There is no room left to write ${path}.`, {
      hint: 'Make room there and run the same command again; temporary files go where TMPDIR says.',
      ...about,
    });
  if (!REFUSALS.has(code)) return undefined;
  return conflictError('FILE_UNUSABLE', `${path} cannot be used: ${message}.`, {
    hint: 'Check that its folder is there and that this user may write to it; temporary files go where TMPDIR says.',
    ...about,
  });
}
