import { EXIT, TenantctlError } from '../../core/errors.js';

/** What a comparison of both homes has found; the tenant is where it was. */
export function differenceError(table: string, what: string): TenantctlError {
  return new TenantctlError('MOVE_DIFFERS', EXIT.difference, `Table ${table}: ${what}.`, {
    hint: 'The tenant stays where it is. Look at that table, then `tenantctl moves abort`.',
    facts: { table, difference: what },
  });
}
