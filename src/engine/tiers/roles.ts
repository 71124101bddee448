import { refusedError } from '../../core/errors.js';
import type { PlanLimits, TenancySettings } from '../../core/settings.js';
import type { Placement } from '../../core/tier.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import type { Home } from '../local/placements.js';
import { roleMark } from '../local/role-mark.js';
import type { RoleState } from './driver.js';
import { roleTaken } from './place-taken.js';

/** Since 16 a grant says for itself whether privileges are inherited; before, the member's attribute did. */
const GRANT_OPTIONS_SINCE = 160_000;

interface RoleRow {
  superuser: boolean;
  bypass: boolean;
  inherit: boolean;
  comment: string | null;
  settable: boolean;
}

async function readRole(connection: Connection, name: string): Promise<RoleRow | undefined> {
  return connection.row<RoleRow>(sql`
    select rolsuper as superuser, rolbypassrls as bypass, rolinherit as inherit,
           shobj_description(oid, 'pg_authid') as comment, pg_has_role(oid, 'MEMBER') as settable
      from pg_roles where rolname = ${name}`);
}

/**
 * Makes the role that applications act as in pools, where it is missing, and refuses one that would
 * see through row-level security. It owns nothing and cannot log in: the application's own login role
 * becomes a member of it.
 * @throws refusal `APP_ROLE_UNSAFE` (exit 6) with the statement that mends it
 */
export async function ensureAppRole(connection: Connection, tenancy: TenancySettings): Promise<void> {
  const name = tenancy.appRole;
  const role = await readRole(connection, name);
  if (role === undefined) return createAppRole(connection, name);
  const quoted = ident(name).text();
  if (role.superuser)
    throw unsafeAppRole(name, 'is a superuser', `CREATE ROLE another NOLOGIN; -- and set tenancy.appRole`);
  if (role.bypass)
    throw unsafeAppRole(name, 'bypasses row-level security', `ALTER ROLE ${quoted} NOBYPASSRLS`);
  if (connection.version < GRANT_OPTIONS_SINCE && role.inherit) {
    throw unsafeAppRole(
      name,
      'inherits the rights of every tenant role it may assume',
      `ALTER ROLE ${quoted} NOINHERIT`,
    );
  }
  if (!role.settable) {
    throw unsafeAppRole(
      name,
      'cannot be assumed by the administrator',
      `GRANT ${quoted} TO ${ident(connection.user).text()}`,
    );
  }
}

async function createAppRole(connection: Connection, name: string): Promise<void> {
  try {
    await connection.message(
      `begin; create role ${ident(name).text()} nologin noinherit; ${membership(connection, name, 'current_user').text()}; commit`,
    );
  } catch (error) {
    await connection.rollback();
    // Another process made it in the same moment.
    if (!['42710', '23505'].includes(sqlstateOf(error) ?? '')) throw error;
  }
}

function unsafeAppRole(name: string, problem: string, remedy: string) {
  return refusedError(
    'APP_ROLE_UNSAFE',
    `Role ${name} ${problem}; tenants would not be isolated from each other.`,
    {
      hint: `As an administrator: ${remedy}`,
      facts: { role: name },
    },
  );
}

/** Lets `member` assume a role without ever inheriting its rights. */
function membership(connection: Connection, role: string, member: string): Sql {
  const options = connection.version >= GRANT_OPTIONS_SINCE ? ' with inherit false, set true' : '';
  return raw(`grant ${ident(role).text()} to ${member}${options}`);
}

/** Is a role of this tenant's name there, and is it ours? */
export async function inspectTenantRole(connection: Connection, home: Home): Promise<RoleState> {
  const role = await readRole(connection, home.placement.role);
  return role === undefined ? 'absent' : stateOfRole(home, role.comment);
}

/** @param comment of a role that is there */
export function stateOfRole(home: Home, comment: string | null): Exclude<RoleState, 'absent'> {
  return comment === roleMark(home) ? 'ours' : 'foreign';
}

/** Have we made the role of a home, for this tenant alone? One that is gone cannot be anybody else's. */
export async function isOurRole(connection: Connection, home: Home): Promise<boolean> {
  return (await inspectTenantRole(connection, home)) !== 'foreign';
}

/** Tells that a plan's limits are not set where the role was there before us. */
export function tellUnlimited(fleet: Fleet, { tenant: { id, limits }, placement: { role } }: Home): void {
  if (limits.connections === null && limits.statementTimeoutMs === null) return;
  fleet.emit({
    type: 'notice',
    level: 'warning',
    code: 'LIMITS_NOT_SET',
    message: `tenant ${id} keeps the limits that it has: role ${role} was there before tenantctl, and other tenants may use it`,
  });
}

/**
 * The statements that give a tenant its own role with the plan's limits: no login, marked as ours. The
 * application may assume it once its home is opened. A role of ours that is there already is kept.
 * @param found what is there now
 * @throws conflict `PLACE_TAKEN` (exit 5) when the role is there and not ours
 */
export function tenantRoleStatements(connection: Connection, home: Home, found: RoleState): Sql[] {
  const { role } = home.placement;
  const { limits } = home.tenant;
  if (found === 'foreign') throw roleTaken(home);
  if (found === 'ours') return limitRole(role, limits);
  const unlimited = limits.connections === null && limits.statementTimeoutMs === null;
  return [
    sql`create role ${ident(role)} nologin`,
    sql`comment on role ${ident(role)} is ${roleMark(home)}`,
    membership(connection, role, 'current_user'),
    ...(unlimited ? [] : limitRole(role, limits)),
  ];
}

/**
 * The statements that open or close a schema to the tenant's role, and the role to applications. Without
 * the second a closed home would look empty to them (42P01) instead of forbidden (42501).
 */
export function doorStatements(
  connection: Connection,
  schema: string,
  role: string,
  tenancy: TenancySettings,
  state: 'open' | 'closed',
): Sql[] {
  const app = ident(tenancy.appRole);
  return state === 'open'
    ? [
        sql`grant usage on schema ${ident(schema)} to ${ident(role)}`,
        membership(connection, role, app.text()),
      ]
    : [
        sql`revoke usage on schema ${ident(schema)} from ${ident(role)}`,
        sql`revoke ${ident(role)} from ${app}`,
      ];
}

/** Roles belong to the cluster: two homes of a tenant on one cluster may be used by one role. */
export function sharesRole(one: Placement, other: Placement): boolean {
  return one.cluster === other.cluster && one.role === other.role;
}

/** The statements that shut a schema whose tenant has left for `next`, whose role keeps what it needs there. */
export function leavingStatements(
  placement: Placement,
  schema: string,
  next: Placement,
  tenancy: TenancySettings,
): Sql[] {
  const { role } = placement;
  return [
    sql`revoke usage on schema ${ident(schema)} from ${ident(role)}`,
    ...(sharesRole(placement, next) ? [] : [sql`revoke ${ident(role)} from ${ident(tenancy.appRole)}`]),
  ];
}

/**
 * Ends the sessions that logged in as the tenant's own role. Only that role's rights allow it, so they are
 * taken for the moment. Sessions that assumed the role are refused at their next statement.
 */
export async function endSessionsOf(connection: Connection, role: string): Promise<void> {
  await connection.atomically([
    sql`set local role ${ident(role)}`,
    sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${role}`,
  ]);
}

/** Statements that set the plan's limits on a role. They bind its own logins; sessions that assume it set the timeout themselves. */
export function limitRole(role: string, { connections, statementTimeoutMs }: PlanLimits): Sql[] {
  return [
    raw(`alter role ${ident(role).text()} connection limit ${connections ?? -1}`),
    sql`alter role ${ident(role)} ${timeoutClause(statementTimeoutMs)}`,
  ];
}

/** The part of ALTER ROLE or ALTER DATABASE that sets or takes back a statement timeout. */
export function timeoutClause(milliseconds: number | null): Sql {
  return milliseconds === null
    ? raw('reset statement_timeout')
    : sql`set statement_timeout = ${`${milliseconds}ms`}`;
}

/** Statements that let a role use everything in a schema that is there or will be there, once it may enter. */
export function grantSchema(schema: string, role: string, existing: boolean): Sql[] {
  const [inSchema, to] = [ident(schema), ident(role)];
  const present = [
    sql`grant select, insert, update, delete on all tables in schema ${inSchema} to ${to}`,
    sql`grant usage, select on all sequences in schema ${inSchema} to ${to}`,
  ];
  return [
    ...(existing ? present : []),
    sql`alter default privileges in schema ${inSchema} grant select, insert, update, delete on tables to ${to}`,
    sql`alter default privileges in schema ${inSchema} grant usage, select on sequences to ${to}`,
  ];
}

/** Removes the tenant's role, if it is ours and no other home of the tenant on this cluster uses it. */
export async function dropTenantRole(connection: Connection, home: Home): Promise<void> {
  if ((await inspectTenantRole(connection, home)) !== 'ours') return;
  if (await holdsAnything(connection, home.placement.role)) return;
  await connection.execute(sql`drop role ${ident(home.placement.role)}`);
}

/** Has the role rights on anything that is still there, in this database or another? */
async function holdsAnything(connection: Connection, role: string): Promise<boolean> {
  const row = await connection.row(sql`
    select from pg_shdepend d join pg_roles r on r.oid = d.refobjid
     where d.refclassid = 'pg_authid'::regclass and r.rolname = ${role} limit 1`);
  return row !== undefined;
}
