import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { poolSchemas } from '../tables.js';

interface Right {
  schema: string;
  name: string;
  privileges: string[];
  tenanted: boolean;
}

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']);

export const publicTableRight: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'public-table-right',
    check: 'isolation',
    level: 'warning',
    summary:
      'PUBLIC has rights on a table of a pool: every login of the server that may connect, not only the application, gets to it.',
    explanation:
      'Rights of PUBLIC hold for roles that do not exist yet. Policies still stand before a table of tenants; nothing stands before a shared table, where a right to write is an error.',
    remedy: 'Grant to the role of the application instead, which migrations of this tool do.',
    bad: 'grant select on payment_allocation to public;',
    good: 'grant select on payment_allocation to app_user;',
  },
  async find(context) {
    const rights = await context.session.rows<Right>(sql`
      select n.nspname::text as schema, c.relname::text as name, array_agg(distinct x.privilege_type) as privileges,
             exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${context.tenancy.column} and not a.attisdropped) as tenanted
        from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join aclexplode(c.relacl) x
       where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind in ('r', 'p', 'f') and x.grantee = 0
         and not exists (select from pg_inherits i where i.inhrelid = c.oid)
       group by 1, 2, 4 order by 1, 2`);
    return rights.map(({ schema, name, privileges, tenanted }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `PUBLIC has ${privileges.join(', ')} on ${schema}.${name}: every login that may connect gets to it`,
        {
          level: !tenanted && privileges.some((privilege) => WRITES.has(privilege)) ? 'error' : 'warning',
          sql: [revoke(privileges, 'TABLE', ident(schema, name), null)],
          facts: { privileges },
        },
      ),
    );
  },
};
