import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { revoke } from '../statements.js';
import { granteeName, poolSchemas, reachesApplication, withApplication } from '../tables.js';

interface Right {
  schema: string;
  name: string;
  grantee: string | null;
  privileges: string[];
}

/** What the application can do with each of them. */
const DANGERS: Readonly<Record<string, string>> = {
  TRUNCATE: 'TRUNCATE empties the table for all tenants',
  TRIGGER: 'a trigger of its own sees the rows that other tenants write',
  REFERENCES: 'a foreign key of its own tells which rows others have, and keeps them from being deleted',
  MAINTAIN: 'LOCK TABLE and VACUUM FULL shut all tenants out',
};

const GRAVE = new Set(['TRUNCATE', 'TRIGGER']);

export const dangerousTableRight: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'dangerous-table-right',
    check: 'isolation',
    level: 'error',
    summary:
      'The application has TRUNCATE, TRIGGER, REFERENCES or MAINTAIN on a table of a pool: these pass by row-level security.',
    explanation:
      'Policies hold SELECT, INSERT, UPDATE and DELETE, and nothing else. TRUNCATE empties the table for all tenants and a trigger sees what others write: errors. REFERENCES and MAINTAIN tell of others or shut them out: warnings. They mostly come from GRANT ALL.',
    remedy: 'Take the right away; the application needs SELECT, INSERT, UPDATE and DELETE.',
    bad: 'grant truncate on document_counter to app_user;',
    good: 'grant select, insert, update, delete on document_counter to app_user;',
  },
  async find(context) {
    const rights = await context.session.rows<Right>(sql`
      ${withApplication(context)}
      select n.nspname::text as schema, c.relname::text as name, ${granteeName(sql`x.grantee`)} as grantee,
             array_agg(distinct x.privilege_type) as privileges
        from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join aclexplode(c.relacl) x
       where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind in ('r', 'p', 'f', 'm') and x.grantee <> c.relowner
         and x.privilege_type = any (${Object.keys(DANGERS)}::text[]) and ${reachesApplication(sql`x.grantee`)}
       group by 1, 2, x.grantee order by 1, 2, 3`);
    return rights.map(({ schema, name, grantee, privileges }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${grantee ?? 'PUBLIC'} has ${privileges.join(', ')} on ${schema}.${name}: ${privileges.map((privilege) => DANGERS[privilege]).join('; ')}`,
        {
          level: privileges.some((privilege) => GRAVE.has(privilege)) ? 'error' : 'warning',
          sql: [revoke(privileges, 'TABLE', ident(schema, name), grantee)],
          facts: { grantee, privileges },
        },
      ),
    );
  },
};
