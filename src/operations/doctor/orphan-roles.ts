import { createHash } from 'node:crypto';
import { conflictError } from '../../core/errors.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, sql } from '../../pg/sql.js';
import { alone } from '../tenant-lock.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

/** A role that this tool has made for a tenant's home, and that has rights on nothing any more. */
interface SpareRole {
  role: string;
  tenant: string;
  mark: string;
}

/** Roles of tenants that no home uses: what a crash between dropping a home and its role has left. */
export async function orphanRoles(context: ClusterContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, session } = context;
  const spare = await readSpareRoles(session, fleet.settings.tenancy.appRole);
  if (spare.length === 0) return [];
  const used = await usedRoles(fleet, cluster);
  return spare
    .filter(({ role, tenant, mark }) => !used.has(`${role} ${tenant} ${mark}`))
    .map((each) => finding(context, each));
}

/**
 * Marked as ours, cannot log in, owns nothing, has rights on nothing in any database, is a member of nothing, and nobody
 * but the administrator and the application may assume it.
 */
function readSpareRoles(session: Connection, appRole: string, only: Sql = sql`true`): Promise<SpareRole[]> {
  return session.rows<SpareRole>(sql`
    select r.rolname::text as role, m.parts[1] as tenant, m.parts[2] as mark
      from pg_roles r cross join lateral (
        select regexp_match(shobj_description(r.oid, 'pg_authid'), '^tenantctl: tenant ([a-z0-9][a-z0-9_-]{0,47}) ([0-9a-f]{16})$') as parts) m
     where m.parts is not null and not r.rolcanlogin and ${only}
       and not exists (select from pg_shdepend d where d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid)
       and not exists (select from pg_auth_members a where a.member = r.oid)
       and not exists (select from pg_auth_members a join pg_roles u on u.oid = a.member
                        where a.roleid = r.oid and u.rolname not in (session_user, ${appRole}))
     order by 1`);
}

/** `role id mark` of every home there is on this cluster, or will be in a moment. */
async function usedRoles(fleet: Fleet, cluster: string): Promise<Set<string>> {
  const rows = await fleet.catalog((catalog) =>
    catalog.rows<{ role: string; id: string; key: string }>(sql`
      select p.role, t.id, t.key from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
       where p.cluster = ${cluster} and p.until is null and t.status <> 'deleted'
      union
      select h.home ->> 'role', t.id, t.key from tenantctl_catalog.moves m join tenantctl_catalog.tenants t on t.id = m.tenant
       cross join lateral (values (m.from_home), (m.to_home)) h (home)
       where m.finished_at is null and h.home ->> 'cluster' = ${cluster}`),
  );
  return new Set(rows.map(({ role, id, key }) => `${role} ${id} ${markOf(key)}`));
}

function markOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

function finding(context: ClusterContext, { role, tenant }: SpareRole): DoctorFinding {
  return {
    rule: 'orphan-role',
    level: 'warning',
    where: `${context.cluster}, role ${role}`,
    message: `it was made for tenant ${tenant}, which has no home on this cluster, and has rights on nothing`,
    hint: '`tenantctl doctor --fix` drops it.',
    facts: { cluster: context.cluster, role, tenant, sql: [`drop role ${ident(role).text()}`] },
    mend: () => drop(context, role, tenant),
  };
}

/** Under the lock that whoever makes a home of this tenant takes. */
async function drop({ fleet, cluster }: ClusterContext, role: string, tenant: string): Promise<void> {
  const connections = fleet.connections(cluster);
  await alone(fleet, tenant, () =>
    connections.use(connections.maintenanceDatabase, async (session) => {
      const named = sql`r.rolname = ${role}`;
      const [spare] = await readSpareRoles(session, fleet.settings.tenancy.appRole, named);
      const used = await usedRoles(fleet, cluster);
      if (spare !== undefined && !used.has(`${role} ${tenant} ${spare.mark}`)) {
        await session.execute(sql`drop role if exists ${ident(role)}`);
        return;
      }
      const there = await session.row(sql`select from pg_roles where rolname = ${role}`);
      if (there !== undefined) throw inUse(role, tenant);
    }),
  );
}

function inUse(role: string, tenant: string) {
  return conflictError('ROLE_IN_USE', `Role ${role} of tenant ${tenant} is in use again.`, {
    hint: 'Nothing was changed.',
    facts: { role, tenant },
  });
}
