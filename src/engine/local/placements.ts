import type { LegalHold } from '../../core/offboarding.js';
import type { PlanLimits } from '../../core/settings.js';
import type { Placement, Tier } from '../../core/tier.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';

/** A tenant's own particulars, as its home keeps them. */
export interface HomeTenant {
  id: string;
  key: string;
  plan: string | null;
  owner: string | null;
  labels: Record<string, string>;
  limits: PlanLimits;
}

/** One tenant in one place: what a tier driver works on. */
export interface Home {
  tenant: HomeTenant;
  placement: Placement;
  epoch: number;
}

/** As much of a home as its row is found by. */
export interface HomeName {
  tenant: Pick<HomeTenant, 'id'>;
  placement: Pick<Placement, 'schema'>;
}

/** What a home answers when its tenant comes. */
export type Admission = 'making' | 'active' | 'moving' | 'suspended' | 'moved';

/** A row of `tenantctl.placement`. */
export interface LocalPlacement {
  tenant: string;
  key: string;
  tier: Tier;
  unit: string;
  state: Admission;
  epoch: number;
}

/** The statement that writes a tenant into the local state of its home, which answers nobody yet. */
export function placementInsert(home: Home, ledgerKey: string): Sql {
  const { tenant, placement, epoch } = home;
  return sql`
    insert into tenantctl.placement (tenant, key, unit, tier, schema, role, plan, owner, labels, status, epoch)
    values (${tenant.id}, ${tenant.key}, ${ledgerKey}, ${placement.tier}, ${placement.schema}, ${placement.role},
      ${tenant.plan}, ${tenant.owner}, ${JSON.stringify(tenant.labels)}::jsonb, 'provisioning', ${epoch})
    on conflict (tenant, schema) do nothing`;
}

export async function readPlacement(
  connection: Connection,
  home: HomeName,
): Promise<LocalPlacement | undefined> {
  return connection.row<LocalPlacement>(sql`
    select tenant, key, tier, unit, state, epoch::int from tenantctl.placement where ${placementOf(home)}`);
}

/** The status of the tenant, as a home knows it. */
export async function readStatus(connection: Connection, home: Home): Promise<string | undefined> {
  const row = await connection.row<{ status: string }>(
    sql`select status from tenantctl.placement where ${placementOf(home)}`,
  );
  return row?.status;
}

/** The unit of another home of this tenant in the same database that no move accounts for, if there is one. */
export async function strayPlacement(connection: Connection, home: Home): Promise<string | undefined> {
  const row = await connection.row<{ unit: string }>(strayUnit(home));
  return row?.unit;
}

/** The same as a query of one row and one column, or none. */
export function strayUnit({ tenant, placement }: Home): Sql {
  return sql`
    select unit from tenantctl.placement where tenant = ${tenant.id} and schema <> ${placement.schema}
       and status <> 'moving' and state <> 'moved' limit 1`;
}

/** What a tenant whose home is opened or closed may be in the catalog. */
export type FencedStatus = 'active' | 'suspended' | 'offboarding';

/** The statement that opens or closes a home for a tenant of this status. */
export function admissionUpdate(home: Home, status: FencedStatus): Sql {
  const state = status === 'active' ? 'active' : 'suspended';
  return sql`
    update tenantctl.placement set state = ${state}, status = ${status}, home = null, changed_at = now() where ${placementOf(home)}`;
}

/** The statement that writes labels, plan and owner to the home, so that the catalog can be rebuilt from it; it touches no row where they are so. */
export function placementUpdate(home: Home): Sql {
  const { plan, owner, labels } = home.tenant;
  return sql`
    update tenantctl.placement set plan = ${plan}, owner = ${owner},
      labels = ${JSON.stringify(labels)}::jsonb, changed_at = now()
     where ${placementOf(home)} and (plan, owner, labels) is distinct from (${plan}, ${owner}, ${JSON.stringify(labels)}::jsonb)`;
}

/**
 * The statement that tells a home which legal holds stand on its tenant. A deletion that is at work there is waited for,
 * batch by batch; it touches no row where that is known already.
 */
export function holdUpdate(home: Home, held: readonly LegalHold[]): Sql {
  const hold = held.length === 0 ? null : JSON.stringify(held);
  return sql`
    update tenantctl.placement set hold = ${hold}::jsonb, changed_at = now()
     where ${placementOf(home)} and hold is distinct from ${hold}::jsonb`;
}

/** The ids of the legal holds that a home knows. */
export async function readHolds(connection: Connection, home: Home): Promise<string[]> {
  const rows = await connection.rows<{ id: string }>(sql`
    select h ->> 'hold' as id from tenantctl.placement,
      jsonb_array_elements(case jsonb_typeof(hold) when 'array' then hold else jsonb_build_array(hold) end) h
     where ${placementOf(home)} and hold is not null`);
  return rows.map(({ id }) => id);
}

/** The statement that forgets a home. */
export function placementDelete(home: Home): Sql {
  return sql`delete from tenantctl.placement where ${placementOf(home)}`;
}

/** The condition for the row of one home: while a tenant moves, two of its homes may be in one database. */
export function placementOf({ tenant, placement }: HomeName): Sql {
  return sql`tenant = ${tenant.id} and schema = ${placement.schema}`;
}

/** Has this database our local state, with a placement table? Asks without changing anything. */
export async function hasLocalState(connection: Connection): Promise<boolean> {
  const row = await connection.row<{ there: boolean }>(
    sql`select to_regclass('tenantctl.placement') is not null as there`,
  );
  return row?.there === true;
}
