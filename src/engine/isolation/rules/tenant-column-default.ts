import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { tenantTables } from '../tables.js';

interface Table {
  schema: string;
  name: string;
  type: string;
  default: string | null;
}

export const tenantColumnDefault: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'tenant-column-default',
    check: 'isolation',
    level: 'warning',
    summary:
      'The tenant column does not take the session’s tenant as its default: SQL that runs in other tiers fails in the pool.',
    explanation:
      'One application’s SQL runs unchanged in every tier because nobody has to name the tenant in an INSERT. Without the default each one fails, or names a tenant that somebody passed along by hand.',
    remedy: 'Set the default to the setting by which sessions say their tenant.',
    bad: 'alter table webhook_delivery alter column tenant_id drop default;',
    good: `alter table webhook_delivery
  alter column tenant_id set default nullif(current_setting('app.tenant_id', true), '')::uuid;`,
  },
  async find(context) {
    const { column, setting } = context.tenancy;
    const tables = await context.session.rows<Table>(sql`
      select schema, name, type, "default" from ${tenantTables(context)} t
       where not child and ("default" is null or position(${setting} in "default") = 0) order by 1, 2`);
    return tables.map(({ schema, name, type, default: found }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${column} of ${schema}.${name} has ${found === null ? 'no default' : `the default ${found}`}, not the session's tenant: an INSERT that does not name the tenant fails`,
        {
          sql: [
            sql`alter table ${ident(schema, name)} alter column ${ident(column)} set default nullif(current_setting(${setting}, true), '')::${raw(type)}`,
          ],
          facts: { column, default: found },
        },
      ),
    );
  },
};
