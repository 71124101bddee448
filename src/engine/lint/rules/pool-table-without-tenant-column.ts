import type { LintRule } from '../rule.js';
import { isTenants, pooledTables } from '../tenant-tables.js';

export const poolTableWithoutTenantColumn: LintRule = {
  name: 'pool-table-without-tenant-column',
  check: 'migrations',
  level: 'info',
  summary: 'A table without the tenant column is shared by all tenants of a pool, who may only read it.',
  explanation:
    'That is right for lists which belong to the product: currencies, countries. Applications may write it only if `tenancy.shared` names it, and then every tenant sees what another has written. A table that a migration fills itself is plainly such a list and is no finding.',
  remedy: 'Add the tenant column, or name the table in `tenancy.shared` if all tenants may write it.',
  bad: 'create table note (id bigint primary key, body text);',
  good: 'create table note (tenant_id uuid not null, id bigint, body text, primary key (tenant_id, id));',
  file: (scene) =>
    pooledTables(scene)
      .filter(({ table }) => !isTenants(table, scene) && !table.opaque && !table.filled)
      .filter(({ table }) => !scene.settings.tenancy.shared.includes(table.name))
      .map(({ table, at }) => ({
        at,
        message: `${table.name} has no column ${scene.settings.tenancy.column}: in a pool all tenants read the same rows, and may not write them.`,
      })),
};
