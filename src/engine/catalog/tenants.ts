import { conflictError } from '../../core/errors.js';
import { nearest } from '../../core/nearest.js';
import type { Condition, Selector } from '../../core/selector.js';
import type { Tenant, TenantStatus } from '../../core/tenant.js';
import type { Placement } from '../../core/tier.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, join, raw, sql } from '../../pg/sql.js';
import { DELETED_AT, tenantDeleted } from './tombstones.js';

/** A tenant with everything the catalog knows of where it lives. */
export interface TenantRecord extends Tenant {
  role: string;
  unit: string;
  pinnedTo: number | null;
  /** The sha256 of the manifest of the export that it was restored from, or null. */
  restoredFrom: string | null;
}

const CREATED_AT = `to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt"`;

const COLUMNS = raw(`
  t.id, t.key, t.status, p.tier, t.plan, p.cluster, p.database, p.schema, p.pool, t.labels, t.owner, p.epoch::int,
  ${CREATED_AT},
  case when u.version_id is null then null else jsonb_build_object('id', u.version_id, 'name', u.version_name) end as version,
  p.role, p.unit, t.pinned_to as "pinnedTo", t.restored_from as "restoredFrom"`);

const PLACE = `tenantctl_catalog.placements p on p.tenant = t.id and p.until is null
  left join tenantctl_catalog.units u on u.id = p.unit`;

const SOURCE = raw(`tenantctl_catalog.tenants t join ${PLACE}`);

/** The question whether there is or was a tenant of this id: one row, or none. */
export function tenantLookup(id: string): Sql {
  return sql`select from tenantctl_catalog.tenants where id = ${id}`;
}

/**
 * The tenant of this id; undefined where there never was one.
 * @throws conflict `TENANT_DELETED` (exit 5) where there was: whatever knows the id from then must not find somebody else there
 */
export async function findTenant(connection: Connection, id: string): Promise<TenantRecord | undefined> {
  const found = await connection.row<TenantRecord & { deletedAt: string | null }>(sql`
    select ${COLUMNS}, case when p.tenant is null then ${DELETED_AT} end as "deletedAt"
      from tenantctl_catalog.tenants t left join ${raw(PLACE)}
     where t.id = ${id} and (p.tenant is not null or t.status = 'deleted')`);
  if (found === undefined) return undefined;
  const { deletedAt, ...tenant } = found;
  if (deletedAt !== null) throw tenantDeleted(id, deletedAt);
  return tenant;
}

/** @throws conflict `TENANT_UNKNOWN`, or `TENANT_DELETED` where there was one (exit 5) */
export async function requireTenant(connection: Connection, id: string): Promise<TenantRecord> {
  const tenant = await findTenant(connection, id);
  if (tenant !== undefined) return tenant;
  const meant = nearest(id, await neighbouringIds(connection, id));
  throw conflictError('TENANT_UNKNOWN', `There is no tenant ${id}.`, {
    hint: `${meant === undefined ? '' : `Did you mean ${meant}? `}\`tenantctl list\` shows all tenants.`,
    facts: { tenant: id, meant: meant ?? null },
  });
}

/** Ids that stand next to this one in their order: there a slip of the pen is looked for, however large the fleet is. */
async function neighbouringIds(connection: Connection, id: string): Promise<string[]> {
  const rows = await connection.rows<{ id: string }>(sql`
    (select id from tenantctl_catalog.tenants where id > ${id} and status <> 'deleted' order by id limit 100)
    union all
    (select id from tenantctl_catalog.tenants where id < ${id} and status <> 'deleted' order by id desc limit 100)`);
  return rows.map((row) => row.id);
}

/** Whether a tenant, present or past, has this key. */
export async function isKeyTaken(connection: Connection, key: string): Promise<boolean> {
  return (await connection.row(sql`select from tenantctl_catalog.tenants where key = ${key}`)) !== undefined;
}

export interface TenantPage {
  select: Selector;
  limit: number;
  /** The id after which the page begins, or null. */
  after: string | null;
}

/** The same with those that were deleted, at the place where they lived last. */
const SOURCE_WITH_DELETED = raw(`
  tenantctl_catalog.tenants t
  join tenantctl_catalog.placements p on p.tenant = t.id and (p.until is null or (t.status = 'deleted' and p.epoch =
    (select max(o.epoch) from tenantctl_catalog.placements o where o.tenant = t.id)))
  left join tenantctl_catalog.units u on u.id = p.unit`);

/**
 * One page of tenants in order of id; reads one row more than asked for to know whether there is a next page. Deleted
 * ones are in it only where the selector names their status.
 */
export async function listTenantRecords(connection: Connection, page: TenantPage): Promise<TenantRecord[]> {
  const after = page.after === null ? raw('true') : sql`t.id > ${page.after}`;
  const source = page.select.some((all) => all.some(asksForDeleted)) ? SOURCE_WITH_DELETED : SOURCE;
  return connection.rows<TenantRecord>(sql`
    select ${COLUMNS} from ${source} where ${after} and ${selectorCondition(page.select)}
     order by t.id limit ${page.limit + 1}`);
}

/** A new tenant as the catalog first knows it. */
export interface NewTenant {
  id: string;
  key: string;
  plan: string | null;
  owner: string | null;
  labels: Record<string, string>;
  placement: Placement;
  unit: string;
  /** The sha256 of the manifest of the export that it is restored from. */
  restoredFrom?: string;
}

/**
 * The statements that write a tenant as `provisioning`, with the first epoch of its placement. The first one gives what the
 * catalog makes of it, for `recorded`.
 */
export function tenantInserts(tenant: NewTenant): Sql[] {
  const { tier, cluster, database, schema, pool, role } = tenant.placement;
  return [
    sql`insert into tenantctl_catalog.tenants as t (id, key, plan, owner, labels, restored_from)
      values (${tenant.id}, ${tenant.key}, ${tenant.plan}, ${tenant.owner}, ${JSON.stringify(tenant.labels)}::jsonb, ${tenant.restoredFrom ?? null})
      returning t.status, t.labels, ${raw(CREATED_AT)}`,
    sql`insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, pool, role, unit)
      values (${tenant.id}, 1, ${tier}, ${cluster}, ${database}, ${schema}, ${pool}, ${role}, ${tenant.unit})`,
  ];
}

/** A tenant that has just been written, as `findTenant` would find it, its fields in the same order. */
export function recorded(tenant: NewTenant, written: Record<string, unknown>): TenantRecord {
  const { id, key, plan, owner, placement, unit, restoredFrom = null } = tenant;
  const { tier, cluster, database, schema, pool, role } = placement;
  const { status, labels, createdAt } = written as Pick<TenantRecord, 'status' | 'labels' | 'createdAt'>;
  const place = { cluster, database, schema, pool };
  const shown = { id, key, status, tier, plan, ...place, labels, owner, epoch: 1, createdAt, version: null };
  return { ...shown, role, unit, pinnedTo: null, restoredFrom };
}

/** The statement that sets a tenant's status; the database refuses a step that does not exist. */
export function statusUpdate(id: string, status: TenantStatus): Sql {
  return sql`
    update tenantctl_catalog.tenants set status = ${status},
      activated_at = case when ${status} = 'active' then coalesce(activated_at, now()) else activated_at end,
      suspended_at = case when ${status} = 'suspended' then now() when ${status} = 'active' then null else suspended_at end
    where id = ${id}`;
}

/**
 * The statements that leave of a tenant only what keeps its id and key from being used again. What hooks have answered
 * may name anybody.
 */
export function tombstone(id: string): Sql[] {
  return [
    sql`delete from tenantctl_catalog.hook_deliveries where tenant = ${id}`,
    sql`update tenantctl_catalog.tenants set status = 'deleted', deleted_at = now(), owner = null, labels = '{}' where id = ${id}`,
    sql`update tenantctl_catalog.placements set until = now() where tenant = ${id} and until is null`,
  ];
}

export interface TenantChanges {
  plan: string | null;
  owner: string | null;
  labels: Record<string, string>;
  pinnedTo: number | null;
}

export function tenantUpdate(id: string, changes: TenantChanges): Sql {
  return sql`
    update tenantctl_catalog.tenants set plan = ${changes.plan}, owner = ${changes.owner},
      labels = ${JSON.stringify(changes.labels)}::jsonb, pinned_to = ${changes.pinnedTo}::integer
    where id = ${id}`;
}

/** Where a tenant lives and has lived, newest first. */
export async function placementHistory(
  connection: Connection,
  id: string,
): Promise<Record<string, unknown>[]> {
  return connection.rows(sql`
    select epoch::int, tier, cluster, database, schema, pool, role, since::text, until::text
      from tenantctl_catalog.placements where tenant = ${id} order by epoch desc`);
}

/** `status=deleted`, or a pattern that somebody writes who wants these as well: `status=d*`, `status=*`. */
function asksForDeleted({ field, pattern, negated }: Condition): boolean {
  if (field !== 'status' || negated) return false;
  const [beginning = '', ...more] = pattern.split('*');
  return more.length === 0 ? pattern === 'deleted' : 'deleted'.startsWith(beginning);
}

/** A selector as a condition over the columns of `listTenantRecords`. */
export function selectorCondition(selector: Selector): Sql {
  if (selector.length === 0) return raw('true');
  return sql`(${join(
    selector.map((all) => sql`(${join(all.map(condition), ' and ')})`),
    ' or ',
  )})`;
}

const FIELD_COLUMNS: Record<Exclude<Condition['field'], 'label'>, Sql> = {
  id: raw('t.id'),
  status: raw('t.status'),
  tier: raw('p.tier'),
  plan: raw('t.plan'),
  cluster: raw('p.cluster'),
  database: raw('p.database'),
  schema: raw('p.schema'),
  pool: raw('p.pool'),
  unit: raw('p.unit'),
};

/** A value that is missing equals nothing and differs from everything. */
function condition({ field, label, pattern, negated }: Condition): Sql {
  const exact = !pattern.includes('*');
  if (field === 'label' && exact && !negated)
    return sql`t.labels @> ${JSON.stringify({ [label as string]: pattern })}::jsonb`;
  const column = field === 'label' ? sql`t.labels ->> ${label}` : FIELD_COLUMNS[field];
  const matches = exact ? sql`${column} = ${pattern}` : sql`${column} like ${likePattern(pattern)}`;
  return negated ? sql`(${matches}) is not true` : matches;
}

function likePattern(pattern: string): string {
  return pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}
