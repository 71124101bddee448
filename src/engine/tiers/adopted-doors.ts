import type { Connection } from '../../pg/connection.js';
import { membershipToAct } from '../../pg/roles.js';
import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { isAdopted } from '../local/adopted.js';
import type { Home } from '../local/placements.js';
import { assertMayBecome } from './owners.js';

/** A right that lets a role into a home: to a schema, or to the database that it is in. */
interface Grant {
  on: 'schema' | 'database';
  name: string;
  /** Null for PUBLIC. */
  grantee: string | null;
  grantor: string;
  grantable: boolean;
}

/**
 * The doors of a home that another tool had made. Its role is the application's, who may serve other tenants with it: nothing
 * of the role itself is changed. The home is shut by taking the rights that lead into it alone, and opened by giving back
 * exactly these.
 */
interface AdoptedDoors {
  unit: string;
  /** Rights of the role that we can take and give back. */
  grants: Grant[];
  /** What was taken when the home was shut. */
  shut: Grant[];
}

/**
 * The doors of a home, where another tool had made it; otherwise null. The role that owns schema or tables keeps its rights, as
 * migrations act as it.
 * @param wholeDatabase is the database the tenant's alone, so that its own door may be shut as well?
 */
async function readAdoptedDoors(
  connection: Connection,
  { placement }: Home,
  unit: string,
  wholeDatabase: boolean,
): Promise<AdoptedDoors | null> {
  const { schema, role } = placement;
  const way = membershipToAct(connection);
  const row = await connection.row<{ shut: Grant[]; grants: Grant[] }>(sql`
    with entered as (
      select 'schema' as "on", n.nspname::text as name, n.nspowner as owner, x.*
        from pg_namespace n cross join aclexplode(n.nspacl) x where n.nspname = ${schema} and x.privilege_type = 'USAGE'
      union all
      select 'database', d.datname::text, d.datdba, x.*
        from pg_database d cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
       where d.datname = current_database() and x.privilege_type = 'CONNECT' and ${wholeDatabase}::boolean)
    select a.shut, coalesce((select jsonb_agg(jsonb_build_object('on', e."on", 'name', e.name, 'grantor', pg_get_userbyid(e.grantor),
        'grantee', case e.grantee when 0 then null else pg_get_userbyid(e.grantee) end, 'grantable', e.is_grantable) order by e."on", e.grantee)
        from entered e left join pg_roles r on r.oid = e.grantee
       where (r.rolname = ${role} or (e.grantee = 0 and e."on" = 'database' and exists (
               select from entered own where own."on" = 'database' and own.grantee <> 0 and pg_has_role(session_user, own.grantee, 'USAGE'))))
         and e.grantee <> e.owner and r.rolname is distinct from a.owner and pg_has_role(session_user, e.grantor, ${way})), '[]') as grants
      from tenantctl.adopted a where a.unit = ${unit}`);
  return row === undefined ? null : { unit, ...row };
}

/**
 * The statements that open or shut a home, or null where we have made it: the rights of another tool's home alone, never
 * its role.
 * @throws refusal `OWNER_NOT_ASSUMABLE` (exit 6) where the administrator may not act any more as who gave these rights
 */
export async function adoptedDoors(
  connection: Connection,
  home: Home,
  { unit, wholeDatabase, state }: { unit: string; wholeDatabase: boolean; state: 'open' | 'closed' },
): Promise<Sql[] | null> {
  // Asked first, as the other question takes the server longer to plan than to answer.
  if (!(await isAdopted(connection, unit))) return null;
  const doors = await readAdoptedDoors(connection, home, unit, wholeDatabase);
  if (doors === null) return null;
  if (state === 'closed') return shutStatements(doors);
  for (const grantor of new Set(doors.shut.map((grant) => grant.grantor)))
    await assertMayBecome(connection, home, grantor);
  return openStatements(doors);
}

/** The statements that shut the home, and write down what they take. */
function shutStatements({ unit, grants }: AdoptedDoors): Sql[] {
  if (grants.length === 0) return [];
  return [
    ...grants.flatMap((grant) => asGrantor(grant, sql`revoke ${rightOf(grant)} from ${granteeOf(grant)}`)),
    sql`update tenantctl.adopted set shut = shut || ${JSON.stringify(grants)}::jsonb where unit = ${unit}`,
  ];
}

/** The statements that give back what was taken when the home was shut. */
function openStatements({ unit, shut }: AdoptedDoors): Sql[] {
  if (shut.length === 0) return [];
  return [
    ...shut.flatMap((grant) =>
      asGrantor(
        grant,
        sql`grant ${rightOf(grant)} to ${granteeOf(grant)}${raw(grant.grantable ? ' with grant option' : '')}`,
      ),
    ),
    sql`update tenantctl.adopted set shut = '[]' where unit = ${unit}`,
  ];
}

/** Tells how the role of a home that was shut comes in all the same, where it does. */
export async function tellWhatStaysOpen(
  fleet: Fleet,
  connection: Connection,
  home: Home,
  wholeDatabase: boolean,
): Promise<void> {
  const why = await wayLeft(connection, home, wholeDatabase);
  if (why === null) return;
  const { tenant, placement } = home;
  fleet.emit({
    type: 'notice',
    level: 'warning',
    code: 'HOME_STAYS_OPEN',
    message: `tenant ${tenant.id} is shut, but role ${placement.role} still enters schema ${placement.schema} of database ${placement.database}: ${why}. Only applications that ask tenantctl.admit are refused`,
  });
}

/** In words; null where it does not. */
async function wayLeft(
  connection: Connection,
  { placement }: Home,
  wholeDatabase: boolean,
): Promise<string | null> {
  const { schema, role } = placement;
  const row = await connection.row<{ why: string | null }>(sql`
    select case
        when not has_schema_privilege(r.oid, n.oid, 'USAGE') then null
        when ${wholeDatabase}::boolean and not has_database_privilege(r.oid, current_database(), 'CONNECT') then null
        when r.rolsuper then 'it is a superuser'
        when n.nspowner = r.oid then 'it owns the schema'
        when pg_has_role(r.oid, n.nspowner, 'USAGE') then 'it has the rights of ' || pg_get_userbyid(n.nspowner) || ', who owns the schema'
        else 'it has the right by PUBLIC, by another role, or from somebody whom the administrator is no member of' end as why
      from pg_roles r, pg_namespace n where r.rolname = ${role} and n.nspname = ${schema}`);
  return row?.why ?? null;
}

function rightOf({ on, name }: Grant): Sql {
  return on === 'schema' ? sql`usage on schema ${ident(name)}` : sql`connect on database ${ident(name)}`;
}

function granteeOf({ grantee }: Grant): Sql {
  return grantee === null ? raw('public') : ident(grantee);
}

function asGrantor({ grantor }: Grant, statement: Sql): Sql[] {
  return [sql`set local role ${ident(grantor)}`, statement, raw('reset role')];
}
