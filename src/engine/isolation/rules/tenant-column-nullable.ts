import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { tenantTables } from '../tables.js';

export const tenantColumnNullable: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'tenant-column-nullable',
    check: 'isolation',
    level: 'warning',
    summary:
      'The tenant column may be NULL: such rows belong to nobody, are in no export, and are left when a tenant is deleted.',
    explanation:
      'A comparison with NULL is never true, so policies hide these rows from everybody. Keys that begin with the column hold them apart no more: a unique constraint takes two NULLs for different.',
    remedy:
      'Give such rows their tenant and set the column NOT NULL, on large tables by a validated check first.',
    bad: `alter table workspace_plan drop constraint workspace_plan_pkey;
alter table workspace_plan alter column tenant_id drop not null;
create index workspace_plan_tenant on workspace_plan (tenant_id);`,
    good: `alter table workspace_plan alter column tenant_id set not null;`,
  },
  async find(context) {
    const { column } = context.tenancy;
    const tables = await context.session.rows<{ schema: string; name: string }>(
      sql`select schema, name from ${tenantTables(context)} t where not required order by 1, 2`,
    );
    return tables.map(({ schema, name }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${column} of ${schema}.${name} may be NULL: such a row belongs to nobody, and no export and no deletion finds it`,
        { sql: [sql`alter table ${ident(schema, name)} alter column ${ident(column)} set not null`] },
      ),
    );
  },
};
