import { type Sql, ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { grantee as named } from '../statements.js';
import { granteeName, reachesApplication, withApplication } from '../tables.js';

interface Default {
  schema: string | null;
  owner: string;
  kind: string;
  grantee: string | null;
  privileges: string[];
}

const KINDS: Readonly<Record<string, string>> = {
  r: 'TABLES',
  S: 'SEQUENCES',
  f: 'FUNCTIONS',
  T: 'TYPES',
  n: 'SCHEMAS',
  L: 'LARGE OBJECTS',
};

export const defaultPrivileges: CatalogRule = {
  home: 'any',
  rule: {
    name: 'default-privileges',
    check: 'isolation',
    level: 'warning',
    summary:
      'Default privileges give PUBLIC or the application more than they need on every object that is made from now on.',
    explanation:
      'ALTER DEFAULT PRIVILEGES works silently on objects of later migrations: a partition gets a door of its own, a materialized view is readable, a table can be truncated. Migrations of this tool grant what the application needs, table by table.',
    remedy: 'Take the default privileges back; objects that are there keep what they have.',
    bad: 'alter default privileges in schema extensions grant select on tables to public;',
    good: 'alter default privileges in schema extensions grant execute on functions to app_user;',
  },
  async find(context) {
    const defaults = await context.session.rows<Default>(sql`
      ${withApplication(context)},
      home (schema, role) as (select * from unnest(${context.homes.map(({ schema }) => schema)}::text[], ${context.homes.map(({ role }) => role)}::text[]))
      select n.nspname::text as schema, pg_get_userbyid(d.defaclrole)::text as owner, d.defaclobjtype::text as kind,
             ${granteeName(sql`x.grantee`)} as grantee, array_agg(distinct x.privilege_type) as privileges
        from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace cross join aclexplode(d.defaclacl) x
       where x.grantee <> d.defaclrole
         and (${reachesApplication(sql`x.grantee`)} or exists (select from home h where h.role = pg_get_userbyid(x.grantee)))
         -- What everybody has on functions and types anyway, and what a tenant's own role gets in its own schema.
         and not (d.defaclobjtype in ('f', 'T') and x.privilege_type in ('EXECUTE', 'USAGE'))
         and not (x.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')
           and exists (select from home h where h.role = pg_get_userbyid(x.grantee) and h.schema = n.nspname))
       group by 1, 2, 3, x.grantee order by 1, 2, 3, 4`);
    return defaults.map((found) => {
      const { schema, owner, kind, grantee, privileges } = found;
      const objects = KINDS[kind] ?? kind;
      return foundIn(
        context,
        this.rule,
        `${schema ?? '*'}, default privileges of ${owner}`,
        `${grantee ?? 'PUBLIC'} gets ${privileges.join(', ')} on all ${objects.toLowerCase()} that ${owner} makes ${schema === null ? 'anywhere' : `in schema ${schema}`} from now on`,
        { sql: [takenBack(found, objects)], facts: { grantee, privileges, objects } },
      );
    });
  },
};

function takenBack({ schema, owner, grantee, privileges }: Default, objects: string): Sql {
  const inSchema = schema === null ? raw('') : sql` in schema ${ident(schema)}`;
  return sql`alter default privileges for role ${ident(owner)}${inSchema} revoke ${raw(privileges.join(', ').toLowerCase())} on ${raw(objects.toLowerCase())} from ${named(grantee)}`;
}
