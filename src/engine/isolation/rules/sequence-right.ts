import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { granteeName, poolSchemas, reachesApplication, withApplication } from '../tables.js';

interface Right {
  schema: string;
  name: string;
  grantee: string | null;
}

export const sequenceRight: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'sequence-right',
    check: 'isolation',
    level: 'warning',
    summary:
      'The application may set a sequence that all tenants of a pool draw from: one tenant can make the inserts of the others fail.',
    explanation:
      'UPDATE on a sequence allows setval. Set back, it gives numbers that are taken, and every insert of every tenant meets a duplicate key.',
    remedy: 'Take UPDATE on the sequence away; nextval needs USAGE only.',
    bad: 'grant update on sequence payment_reference_seq to app_user;',
    good: 'grant usage on sequence payment_reference_seq to app_user;',
  },
  async find(context) {
    const rights = await context.session.rows<Right>(sql`
      ${withApplication(context)}
      select n.nspname::text as schema, c.relname::text as name, ${granteeName(sql`x.grantee`)} as grantee
        from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join aclexplode(c.relacl) x
       where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind = 'S' and x.privilege_type = 'UPDATE'
         and x.grantee <> c.relowner and ${reachesApplication(sql`x.grantee`)} order by 1, 2, 3`);
    return rights.map(({ schema, name, grantee }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${grantee ?? 'PUBLIC'} may set sequence ${schema}.${name}: a tenant can set it back, and the inserts of all others fail`,
        { sql: [revoke(['UPDATE'], 'SEQUENCE', ident(schema, name), grantee)], facts: { grantee } },
      ),
    );
  },
};
