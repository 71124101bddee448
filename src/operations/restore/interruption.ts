import { partialError } from '../../core/errors.js';
import type { Fleet } from '../../engine/context.js';

/** @throws partial error `RESTORE_INTERRUPTED` (exit 7) once the command was asked to end */
export function assertUninterrupted({ signal }: Fleet, tenant: string): void {
  if (!signal.aborted) return;
  throw partialError(
    'RESTORE_INTERRUPTED',
    `The restore of tenant ${tenant} was interrupted; no row of the export was kept.`,
    {
      hint: 'The same command again goes on.',
      facts: { tenant },
    },
  );
}
