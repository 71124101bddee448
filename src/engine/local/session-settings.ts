import type { TenancySettings } from '../../core/settings.js';
import { ident } from '../../pg/sql.js';
import type { Home } from './placements.js';

/** What whoever opens a session for a tenant sets, in every tier, so that one application serves all three. */
export function sessionSettings(home: Home, tenancy: TenancySettings): Record<string, string> {
  const { statementTimeoutMs } = home.tenant.limits;
  return {
    search_path: `${ident(home.placement.schema).text()}, ${ident(tenancy.extensionsSchema).text()}`,
    [tenancy.setting]: home.tenant.key,
    ...(statementTimeoutMs === null ? {} : { statement_timeout: `${statementTimeoutMs}ms` }),
  };
}
