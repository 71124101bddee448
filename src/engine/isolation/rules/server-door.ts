import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { withHomes } from '../roles.js';
import { grantee as named } from '../statements.js';
import { granteeName } from '../tables.js';

interface Door {
  kind: 'server' | 'function';
  /** The foreign server, or the function with its arguments. */
  name: string;
  grantee: string | null;
  mapped: boolean;
}

export const serverDoor: CatalogRule = {
  home: 'any',
  rule: {
    name: 'server-door',
    check: 'isolation',
    level: 'warning',
    summary:
      'Applications may use a foreign server or dblink: from there they connect as somebody else, to this server or another.',
    explanation:
      'A user mapping holds the password of a role that may see more, and connections through it carry no tenant. dblink connects to any address that the server reaches, the databases of other tenants among them.',
    remedy:
      'Take USAGE on the server, or EXECUTE on the functions, away from roles of applications, as their owner: a REVOKE by another role only warns.',
    bad: `-- as a superuser
create foreign data wrapper afar; create server billing foreign data wrapper afar;
create user mapping for public server billing;
grant usage on foreign server billing to app_user;`,
    good: `-- as a superuser
create foreign data wrapper afar; create server billing foreign data wrapper afar;`,
  },
  async find(context) {
    const doors = await context.session.rows<Door>(sql`
      ${withHomes(context)},
      acting (oid) as (
        select oid from pg_roles where rolname in (select role from home union select ${context.tenancy.appRole})
        union select m.member from acting a join pg_auth_members m on m.roleid = a.oid join pg_roles r on r.oid = m.member
         where r.rolname <> session_user and not r.rolsuper)
      select 'server' as kind, s.srvname::text as name, ${granteeName(sql`x.grantee`)} as grantee,
             exists (select from pg_user_mappings u where u.srvid = s.oid) as mapped
        from pg_foreign_server s cross join aclexplode(s.srvacl) x
       where x.privilege_type = 'USAGE' and x.grantee <> s.srvowner and (x.grantee = 0 or x.grantee in (select oid from acting))
      union all
      select 'function', p.oid::regprocedure::text, ${granteeName(sql`x.grantee`)}, false
        from pg_proc p join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
        join pg_extension e on e.oid = d.refobjid and e.extname = 'dblink'
        cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
       where x.privilege_type = 'EXECUTE' and x.grantee <> p.proowner and (x.grantee = 0 or x.grantee in (select oid from acting))
         and p.proname in ('dblink', 'dblink_connect', 'dblink_exec', 'dblink_open', 'dblink_send_query')
       order by 1, 2, 3`);
    return doors.map(({ kind, name, grantee, mapped }) =>
      foundIn(
        context,
        this.rule,
        kind === 'server' ? `foreign server ${name}` : name,
        kind === 'server'
          ? `${grantee ?? 'PUBLIC'} may use foreign server ${name}${mapped ? ', with the login that a user mapping holds' : ''}: what it reads there is held to no tenant`
          : `${grantee ?? 'PUBLIC'} may call ${name}: it connects wherever this server can, the databases of other tenants among them`,
        {
          sql: [
            kind === 'server'
              ? sql`revoke usage on foreign server ${ident(name)} from ${named(grantee)}`
              : sql`revoke execute on function ${raw(name)} from ${named(grantee)}`,
          ],
          facts: { grantee, mapped },
        },
      ),
    );
  },
};
