import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { poolSchemas, withApplication } from '../tables.js';

interface Right {
  schema: string;
  name: string;
  grantee: string;
  privileges: string[];
}

export const grantOption: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'grant-option',
    check: 'isolation',
    level: 'warning',
    summary: 'The application may hand its rights on a table of a pool on to others.',
    explanation:
      'WITH GRANT OPTION lets whatever SQL runs as the application open the table to any other role, PUBLIC included, where no policy speaks to it.',
    remedy: 'Take the grant option away; the right itself stays.',
    bad: 'grant select on credit_note to app_user with grant option;',
    good: 'grant select on credit_note to app_user;',
  },
  async find(context) {
    const rights = await context.session.rows<Right>(sql`
      ${withApplication(context)}
      select n.nspname::text as schema, c.relname::text as name, a.name as grantee, array_agg(distinct x.privilege_type) as privileges
        from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join aclexplode(c.relacl) x
        join application a on a.oid = x.grantee
       where n.nspname = any (${poolSchemas(context)}::text[]) and x.is_grantable and x.grantee <> c.relowner
       group by 1, 2, 3 order by 1, 2, 3`);
    return rights.map(({ schema, name, grantee, privileges }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${name}`,
        `${grantee} may hand ${privileges.join(', ')} on ${schema}.${name} on to any role`,
        {
          sql: [
            sql`revoke grant option for ${raw(privileges.join(', ').toLowerCase())} on table ${ident(schema, name)} from ${ident(grantee)} cascade`,
          ],
          facts: { grantee, privileges },
        },
      ),
    );
  },
};
