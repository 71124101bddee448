import type { Tier } from '../../core/tier.js';
import type { Admission } from '../../engine/local/placements.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';

/** What catalog and home both say of a tenant. */
interface SaidByBoth {
  tenant: string;
  key: string;
  tier: Tier;
  unit: string;
  schema: string;
  role: string;
  plan: string | null;
  owner: string | null;
  labels: string;
  status: string;
  epoch: number;
}

/** A row of `tenantctl.placement`. */
export interface LocalHome extends SaidByBoth {
  state: Admission;
  /** Seconds since 1970. */
  changedAt: number;
  /** Is its schema there? */
  there: boolean;
  /** Is its role? */
  roleThere: boolean;
}

/** What the catalog knows of a tenant that it places in this database. */
export interface CatalogHome extends SaidByBoth {
  /** Is a move under way that is not at rest in its grace period, or is it being deleted? */
  passing: boolean;
  /** When the audit log last speaks of the tenant; seconds since 1970. */
  auditedAt: number | null;
}

export function readLocalHomes(session: Connection): Promise<LocalHome[]> {
  return session.rows<LocalHome>(
    raw(`
    select p.tenant, p.key, p.tier, p.unit, p.schema, p.role, p.plan, p.owner, p.labels::text as labels, p.status, p.state,
           p.epoch::int as epoch, extract(epoch from p.changed_at)::float8 as "changedAt", n.oid is not null as there,
           exists (select from pg_roles r where r.rolname = p.role) as "roleThere"
      from tenantctl.placement p left join pg_namespace n on n.nspname = p.schema order by p.tenant, p.schema`),
  );
}

/** Half-made tenants are told of by another rule. */
export function readPlaced(catalog: Connection, cluster: string, database: string): Promise<CatalogHome[]> {
  return catalog.rows<CatalogHome>(sql`
    select t.id as tenant, t.key, p.tier, p.unit, p.schema, p.role, t.plan, t.owner, t.labels::text as labels, t.status,
           p.epoch::int as epoch,
           t.status = 'moving'
             or exists (select from tenantctl_catalog.moves m where m.tenant = t.id and m.finished_at is null
                         and (m.state <> 'grace' or m.undo_state is not null))
             or exists (select from tenantctl_catalog.offboardings o where o.tenant = t.id and o.finished_at is null
                         and o.state <> 'scheduled') as passing,
           (select extract(epoch from max(a.at))::float8 from tenantctl_catalog.audit a where a.tenant = t.id) as "auditedAt"
      from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
     where p.until is null and p.cluster = ${cluster} and p.database = ${database}
       and t.status not in ('deleted', 'provisioning') order by 1`);
}

/** Those of these ids that the catalog has ever known. */
export async function knownTenants(catalog: Connection, ids: readonly string[]): Promise<Set<string>> {
  const rows = await catalog.rows<{ id: string }>(
    sql`select id from tenantctl_catalog.tenants where id = any (${ids}::text[])`,
  );
  return new Set(rows.map(({ id }) => id));
}

/** Those of these ids that live somewhere, and that no move or deletion is about to take anywhere. */
export async function settledTenants(catalog: Connection, ids: readonly string[]): Promise<Set<string>> {
  const rows = await catalog.rows<{ id: string }>(sql`
    select t.id from tenantctl_catalog.tenants t where t.id = any (${ids}::text[]) and t.status in ('active', 'suspended', 'offboarding')
       and not exists (select from tenantctl_catalog.moves m where m.tenant = t.id and m.finished_at is null)
       and not exists (select from tenantctl_catalog.offboardings o where o.tenant = t.id and o.begun_at is not null and o.finished_at is null)`);
  return new Set(rows.map(({ id }) => id));
}
