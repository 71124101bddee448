import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, type RuleContext, foundIn } from '../catalog-rule.js';

export const publicConnect: CatalogRule = {
  home: 'any',
  rule: {
    name: 'public-connect',
    check: 'isolation',
    level: 'error',
    summary: 'PUBLIC may connect to a database of the fleet: every login of the server gets in.',
    explanation:
      'A new database admits PUBLIC, and so does a copy of a template. The database of one tenant is kept from others by CONNECT before anything else, so there it is an error. A database that tenants share has policies and schemas behind the door: a warning.',
    remedy:
      'Grant CONNECT to every login that works here, then revoke it from PUBLIC. Only the owner of the database can: another role gets a warning and no effect.',
    bad: 'grant connect on database d_corp to public;',
    good: 'grant connect on database d_corp to d_corp;',
  },
  async find(context) {
    const { session, dedicated } = context;
    const row = await session.row(sql`
      select from pg_database d cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
       where d.datname = current_database() and x.grantee = 0 and x.privilege_type = 'CONNECT'`);
    if (row === undefined) return [];
    const database = ident(session.database);
    const roles = await rolesInside(context);
    return [
      foundIn(
        context,
        this.rule,
        'CONNECT',
        dedicated
          ? `PUBLIC may connect to ${session.database}, the database of one tenant: the logins of all others get in`
          : `PUBLIC may connect to ${session.database}: every login of the server gets in, not only the application's`,
        {
          level: dedicated ? 'error' : 'warning',
          sql: [
            ...roles.map((role) => sql`grant connect on database ${database} to ${ident(role)}`),
            sql`revoke connect on database ${database} from public`,
          ],
        },
      ),
    ];
  },
};

/**
 * Those that applications come in by: with PUBLIC gone they would be shut out. A role of the configuration's that is not there is none;
 * tenants' own roles are assumed by it, unless they are logins, as where a fleet was adopted.
 */
async function rolesInside({ session, homes, dedicated, tenancy }: RuleContext): Promise<string[]> {
  const own = homes.map(({ role }) => role);
  const rows = await session.rows<{ role: string }>(sql`
    select rolname as role from pg_roles
     where (rolname = ${tenancy.appRole} and not ${dedicated}) or (rolcanlogin and rolname = any(${own}::text[])) order by 1`);
  return rows.map(({ role }) => role);
}
