import { ident, sql } from '../../../pg/sql.js';
import type { PreflightRule } from './finding.js';

/** Since 16 a grant says for itself whether rights are inherited; before, the role's own attribute did. */
const GRANT_OPTIONS_SINCE = 160_000;

interface AppRole {
  superuser: boolean;
  bypass: boolean;
  inherit: boolean;
  settable: boolean;
}

/** The role of applications may not see through the walls of the new home either. */
export const applicationRole: PreflightRule = async ({ fleet, goal }) => {
  const name = fleet.settings.tenancy.appRole;
  const role = await goal.server.row<AppRole>(sql`
    select rolsuper as superuser, rolbypassrls as bypass, rolinherit as inherit, pg_has_role(oid, 'MEMBER') as settable
      from pg_roles where rolname = ${name}`);
  if (role === undefined) return [];
  const [quoted, admin] = [ident(name).text(), ident(goal.server.user).text()];
  const faults: [boolean, string, string][] = [
    [role.superuser, 'is a superuser', `alter role ${quoted} nosuperuser;`],
    [role.bypass, 'bypasses row-level security', `alter role ${quoted} nobypassrls;`],
    [
      role.inherit && goal.server.version < GRANT_OPTIONS_SINCE,
      'inherits the rights of every tenant role it may assume',
      `alter role ${quoted} noinherit;`,
    ],
    [!role.settable, `cannot be assumed by ${goal.server.user}`, `grant ${quoted} to ${admin};`],
  ];
  return faults
    .filter(([applies]) => applies)
    .map(([, what, hint]) => ({
      rule: 'application-role-unsafe',
      level: 'error',
      where: name,
      message: `Role ${name} ${what} on cluster ${goal.side.home.placement.cluster}, where the new home would be.`,
      hint,
    }));
};
