import type { MoveHome, MoveState, UndoState } from '../../core/move.js';
import type { LegalHold } from '../../core/offboarding.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Actor } from '../context.js';

/** A tenant as its home tells it, for a catalog that has lost it. */
export interface RebuiltTenant {
  id: string;
  key: string;
  plan: string | null;
  owner: string | null;
  labels: Record<string, string>;
  createdAt: string;
}

/** The statement that writes such a tenant, `provisioning` like every new one; its first placement may have any epoch. */
export function rebuiltTenantInsert({ id, key, plan, owner, labels, createdAt }: RebuiltTenant): Sql {
  return sql`
    insert into tenantctl_catalog.tenants (id, key, plan, owner, labels, created_at, activated_at, rebuilt_at)
    values (${id}, ${key}, ${plan}, ${owner}, ${JSON.stringify(labels)}::jsonb, ${createdAt}::timestamptz, ${createdAt}::timestamptz, now())`;
}

/** The statement that remembers a plan of which only the name is known. */
export function planNamed(name: string, tier: string): Sql {
  return sql`insert into tenantctl_catalog.plans (name, tier) values (${name}, ${tier}) on conflict (name) do nothing`;
}

/** A move as both homes tell it. */
export interface RebuiltMove {
  id: string;
  tenant: string;
  from: MoveHome;
  to: MoveHome;
  state: MoveState;
  undo: UndoState;
  version: number | null;
  maxPauseMs: number;
  maxLagMs: number;
  graceMs: number;
}

/** The statement that writes such a move. Its grace period begins anew. */
export function rebuiltMoveInsert(move: RebuiltMove, { actor, reason, ticket }: Actor): Sql {
  return sql`
    insert into tenantctl_catalog.moves (id, tenant, from_epoch, from_home, to_epoch, to_home, method, state, undo_state, version_id,
      max_pause_ms, max_lag_ms, grace_ms, grace_until, actor, reason, ticket, note)
    values (${move.id}, ${move.tenant}, ${move.from.epoch}, ${JSON.stringify(move.from)}::jsonb, ${move.to.epoch}, ${JSON.stringify(move.to)}::jsonb,
      'online', ${move.state}, ${move.undo}, ${move.version}::int, ${move.maxPauseMs}, ${move.maxLagMs}, ${move.graceMs},
      case when ${move.state} = 'grace' then now() + ${move.graceMs} * interval '1 millisecond' end, ${actor}, ${reason}, ${ticket},
      'rebuilt from both homes')`;
}

/** The statement that writes a legal hold as the home knows it. Its transaction needs an audit entry `hold.place`. */
export function rebuiltHoldInsert({ hold, tenant, reason, author, placedAt }: LegalHold): Sql {
  return sql`
    insert into tenantctl_catalog.holds (id, tenant, reason, author, placed_at)
    values (${hold}, ${tenant}, ${reason}, ${author}, ${placedAt}::timestamptz) on conflict (id) do nothing`;
}

/** What a catalog knows of a tenant, and where. */
export interface KnownTenant {
  id: string;
  key: string;
  status: string;
  cluster: string | null;
  database: string | null;
  schema: string | null;
  epoch: number | null;
  moving: boolean;
}

/** Every tenant that the catalog knows, deleted ones as well. */
export function readKnown(connection: Connection): Promise<KnownTenant[]> {
  return connection.rows<KnownTenant>(sql`
    select t.id, t.key, t.status, p.cluster, p.database, p.schema, p.epoch::int as epoch,
           exists (select from tenantctl_catalog.moves m where m.tenant = t.id and m.finished_at is null) as moving
      from tenantctl_catalog.tenants t left join tenantctl_catalog.placements p on p.tenant = t.id and p.until is null`);
}
