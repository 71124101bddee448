import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { granteeName, poolSchemas, reachesApplication, withApplication } from '../tables.js';

interface Right {
  schema: string;
  name: string;
  grantee: string | null;
}

export const sharedSequence: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'shared-sequence',
    check: 'isolation',
    level: 'info',
    summary:
      'The application may read a sequence of a pool: it tells how many rows all tenants together have made.',
    explanation:
      'SELECT on a sequence shows its last number without drawing one. USAGE, which nextval needs, tells about as much by the gaps between two numbers, and cannot be avoided while tenants share a sequence; it is not reported.',
    remedy: 'Take SELECT on the sequence away; nextval and currval need USAGE only.',
    bad: 'grant select on sequence payment_reference_seq to app_user;',
    good: 'grant usage on sequence payment_reference_seq to app_user;',
  },
  async find(context) {
    const rights = await context.session.rows<Right>(sql`
      ${withApplication(context)}
      select n.nspname::text as schema, c.relname::text as name, ${granteeName(sql`x.grantee`)} as grantee
        from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join aclexplode(c.relacl) x
       where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind = 'S' and x.privilege_type = 'SELECT'
         and x.grantee <> c.relowner and ${reachesApplication(sql`x.grantee`)} order by 1, 2, 3`);
    return rights.map(({ schema, name, grantee }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${grantee ?? 'PUBLIC'} may read sequence ${schema}.${name}: it tells how many rows all tenants together have made`,
        { sql: [revoke(['SELECT'], 'SEQUENCE', ident(schema, name), grantee)], facts: { grantee } },
      ),
    );
  },
};
