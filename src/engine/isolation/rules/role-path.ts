import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundOn } from '../catalog-rule.js';
import { actingRoles, namesOf } from '../roles.js';

interface Path {
  /** From the role that applications act as to the one that sees more. */
  path: string[];
  why: string;
}

/** What comes with membership in roles of the server's own. */
const DANGERS: Readonly<Record<string, string>> = {
  pg_read_all_data: 'reads every table and enters every schema',
  pg_write_all_data: 'writes every table',
  pg_read_server_files: 'reads files of the server',
  pg_write_server_files: 'writes files of the server',
  pg_execute_server_program: 'runs programs on the server',
  pg_maintain: 'locks every table',
  pg_signal_backend: 'ends the sessions of others',
  pg_read_all_stats: 'reads the statements of other sessions, with the values in them',
  pg_monitor: 'reads the statements of other sessions, with the values in them',
  pg_create_subscription: 'copies data to another server',
};

export const rolePath: CatalogRule = {
  home: 'cluster',
  rule: {
    name: 'role-path',
    check: 'isolation',
    level: 'error',
    summary:
      'A role that applications act as is a member, directly or by others, of a role that reads or changes the data of all tenants.',
    explanation:
      'Membership gives the rights at once, or after one SET ROLE; it is transitive. Paths to a superuser, to a role with BYPASSRLS, to the administrator of the fleet, and to the server’s own roles such as pg_read_all_data are followed.',
    remedy: 'Take the membership away where the path begins.',
    bad: `-- as a superuser
create role reporting nologin; grant reporting to app_user;
grant pg_read_all_data to reporting;`,
    good: 'create role reporting nologin; grant reporting to app_user;',
  },
  async find(context) {
    const paths = await context.session.rows<Path>(sql`
      ${actingRoles(context)},
      path (oid, seen) as (
        select oid, array[oid] from acting
        union all
        select m.roleid, p.seen || m.roleid from path p join pg_auth_members m on m.member = p.oid
         where m.roleid <> all (p.seen) and m.roleid not in (select oid from acting) and cardinality(p.seen) < 8)
      select ${namesOf(sql`p.seen`)} as path, case when r.rolsuper then 'SUPERUSER' when r.rolbypassrls then 'BYPASSRLS'
               when r.rolname = session_user then 'administrator' else r.rolname::text end as why
        from path p join pg_roles r on r.oid = p.oid
       where cardinality(p.seen) > 1 and (r.rolsuper or r.rolbypassrls or r.rolname = session_user
         or r.rolname = any (${Object.keys(DANGERS)}::text[])) order by 1`);
    return paths.map(({ path, why }) => {
      const [role = '', next = ''] = path;
      return foundOn(
        context,
        this.rule,
        `role ${role}, member of ${path.at(-1) ?? ''}`,
        `role ${role}, as which applications act, becomes ${path.slice(1).join(', then ')}, which ${whatItDoes(why)}`,
        { sql: [sql`revoke ${ident(next)} from ${ident(role)}`], facts: { role, path } },
      );
    });
  },
};

function whatItDoes(why: string): string {
  if (why === 'administrator') return 'administers the fleet and owns its tables';
  return DANGERS[why] ?? `has ${why} and is bound by no policy`;
}
