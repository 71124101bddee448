import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { tenantTables } from '../tables.js';

export const rlsNotForced: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'rls-not-forced',
    check: 'isolation',
    level: 'error',
    summary:
      'Row-level security is enabled and not forced: the owner of the table, and every view and function of the owner’s, reads all tenants.',
    explanation:
      'Without FORCE the owner is exempt. A view runs with the rights of its owner unless it says security_invoker, and a SECURITY DEFINER function with those of its own: both then show the application the rows of all tenants.',
    remedy: 'Force row-level security on the table.',
    bad: 'alter table workspace_plan no force row level security;',
    good: 'alter table workspace_plan force row level security;',
  },
  async find(context) {
    const tables = await context.session.rows<{ schema: string; name: string; owner: string }>(
      sql`select schema, name, pg_get_userbyid(owner)::text as owner from ${tenantTables(context)} t where rls and not forced order by 1, 2`,
    );
    return tables.map(({ schema, name, owner }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `row-level security is not forced on ${schema}.${name}: its owner ${owner}, and every view and function of that role, reads the rows of all tenants`,
        { sql: [sql`alter table ${ident(schema, name)} force row level security`], facts: { owner } },
      ),
    );
  },
};
