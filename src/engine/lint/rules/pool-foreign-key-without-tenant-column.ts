import type { LintRule } from '../rule.js';
import { isTenants, touchedTables } from '../tenant-tables.js';

export const poolForeignKeyWithoutTenantColumn: LintRule = {
  name: 'pool-foreign-key-without-tenant-column',
  check: 'migrations',
  level: 'error',
  summary:
    'A foreign key between pool tables leaves the tenant column out: a row of one tenant can refer to a row of another.',
  explanation:
    'Foreign keys are checked below row-level security: an id that belongs to somebody else is accepted, which tells that it exists, and ON DELETE CASCADE reaches across tenants. With the tenant column in the key PostgreSQL itself rules that out. A key to a table that all tenants share is no finding.',
  remedy: 'Put the tenant column into the foreign key, and into the key that it refers to.',
  bad: 'create table note (tenant_id uuid not null, id bigint, invoice_id bigint references customer_number (id), primary key (tenant_id, id));',
  good: 'create table note (tenant_id uuid not null, id bigint, invoice_id bigint, primary key (tenant_id, id), foreign key (tenant_id, invoice_id) references invoice (tenant_id, id));',
  file: (scene) => {
    const { column } = scene.settings.tenancy;
    if (!scene.pooled) return [];
    return touchedTables(scene)
      .filter((table) => isTenants(table, scene))
      .flatMap(({ name, foreignKeys }) =>
        foreignKeys
          .filter(({ columns }) => !columns.includes(column))
          .filter(
            ({ madeBy, table }) =>
              madeBy === scene.script.migration.id && isTenants(scene.known.get(table), scene),
          )
          .map((key) => ({
            at: key.at,
            message: `${key.name} lets a row of one tenant in ${name} refer to a row of another in ${key.table}: it leaves ${column} out.`,
          })),
      );
  },
};
