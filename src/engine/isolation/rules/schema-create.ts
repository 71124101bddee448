import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { granteeName, poolSchemas, reachesApplication, withApplication } from '../tables.js';

export const schemaCreate: CatalogRule = {
  home: 'any',
  rule: {
    name: 'schema-create',
    check: 'isolation',
    level: 'error',
    summary:
      'The application or PUBLIC may create objects in a schema that other sessions look names up in: they run what it puts there.',
    explanation:
      'A function or operator of a better-fitting type in a schema of the search_path is called in the place of the one that was meant, by other tenants, by views, and by the administrator’s migrations. Before PostgreSQL 15 every database allowed it in the schema public; upgraded ones still do.',
    remedy: 'Take CREATE on the schema away.',
    bad: 'grant create on schema extensions to public;',
    good: 'grant usage on schema extensions to public;',
  },
  async find(context) {
    const shared = [...poolSchemas(context), context.tenancy.extensionsSchema, 'public', 'tenantctl'];
    const rights = await context.session.rows<{ schema: string; grantee: string | null }>(sql`
      ${withApplication(context)}
      select n.nspname::text as schema, ${granteeName(sql`x.grantee`)} as grantee
        from pg_namespace n cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
       where n.nspname = any (${shared}::text[]) and x.privilege_type = 'CREATE' and x.grantee <> n.nspowner
         and ${reachesApplication(sql`x.grantee`)} order by 1, 2`);
    return rights.map(({ schema, grantee }) =>
      foundIn(
        context,
        this.rule,
        schema,
        `${grantee ?? 'PUBLIC'} may create objects in schema ${schema}: sessions of other tenants run functions that it puts there`,
        { sql: [revoke(['CREATE'], 'SCHEMA', ident(schema), grantee)], facts: { grantee } },
      ),
    );
  },
};
