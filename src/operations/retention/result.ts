import { isTenantctlError } from '../../core/errors.js';
import type { DeletedTenant } from './certify.js';
import type { Skipped } from './choose.js';

export interface FailedDeletion {
  tenant: string;
  code: string;
  message: string;
  hint: string | null;
}

/** What became of the tenants that were due. */
export interface RetentionResult {
  deleted: DeletedTenant[];
  skipped: Skipped[];
  failed: FailedDeletion[];
  /** Tenants that were not begun, or not finished, within the budget. */
  left: string[];
}

/** A failure as the result tells it. */
export function failureOf(tenant: string, error: unknown): FailedDeletion {
  const message = error instanceof Error ? error.message : String(error);
  const { code, hint } = isTenantctlError(error) ? error : { code: 'UNEXPECTED', hint: undefined };
  return { tenant, code, message, hint: hint ?? 'The same command again goes on where this one stopped.' };
}
