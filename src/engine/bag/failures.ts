import { type TenantctlError, conflictError, isTenantctlError } from '../../core/errors.js';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Why an export could not be written, as the user should read it (exit 5). Whoever calls it has taken away what was
 * written until then.
 */
export function unwritable(directory: string, cause: unknown): TenantctlError {
  if (isTenantctlError(cause)) return cause;
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const facts = { directory, errno: code };
  if (FULL.has(code))
    return conflictError('EXPORT_DISK_FULL', `There is no room left for the export to ${directory}.`, {
      hint: 'What was written is removed. Make room, or name a folder on another file system, and run the same command again.',
      facts,
      cause,
    });
  return conflictError('EXPORT_UNWRITABLE', `The export cannot be written to ${directory}: ${message}.`, {
    hint: 'Nothing of it is left there. Name a folder that does not exist yet, in one that you may write to.',
    facts,
    cause,
  });
}

/** Something could not be removed again. */
export function leftBehind(partial: string, cause: unknown): TenantctlError {
  return conflictError('EXPORT_LEFTOVER', `The unfinished folder ${partial} could not be removed.`, {
    hint: 'It holds rows of the tenant: remove it by hand, and never hand it on.',
    facts: { directory: partial },
    cause,
  });
}

export function targetExists(directory: string): TenantctlError {
  return conflictError('EXPORT_TARGET_EXISTS', `${directory} exists already; nothing was written.`, {
    hint: 'An export never changes what is there: name another folder, or remove this one first.',
    facts: { directory },
  });
}

export function partialTaken(partial: string): TenantctlError {
  return conflictError(
    'EXPORT_PARTIAL_EXISTS',
    `${partial} is in the way: it is not the unfinished folder of an export of ours.`,
    { hint: 'Remove it, or name another folder.', facts: { directory: partial } },
  );
}

export function underWay(partial: string): TenantctlError {
  return conflictError('EXPORT_UNDER_WAY', `Another process is writing an export to ${partial}.`, {
    hint: 'Wait for it, or name another folder.',
    facts: { directory: partial },
  });
}
