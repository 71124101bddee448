import { randomUUID } from 'node:crypto';
import type { MoveHome } from '../../core/move.js';
import type { Placement } from '../../core/tier.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { placementFlip } from '../../engine/catalog/moves.js';
import { offboardingInsert } from '../../engine/catalog/offboardings.js';
import {
  clusterUpsert,
  planUpsert,
  poolUpsert,
  unitUpsert,
  versionUpdate,
} from '../../engine/catalog/places.js';
import {
  planNamed,
  rebuiltHoldInsert,
  rebuiltMoveInsert,
  rebuiltTenantInsert,
} from '../../engine/catalog/rebuild.js';
import { statusUpdate } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { FoundMove, FoundTenant } from './choose.js';
import { type FoundHome, whereIs } from './read-homes.js';

/**
 * Writes one tenant into the catalog, whole or not at all, with an entry in the audit log.
 * @returns false when somebody has written it meanwhile
 */
export async function writeTenant(fleet: Fleet, catalog: Connection, found: FoundTenant): Promise<boolean> {
  try {
    await catalog.atomically(statementsFor(fleet, found));
    return true;
  } catch (error) {
    if (sqlstateOf(error) === '23505') return false;
    throw error;
  }
}

function statementsFor(fleet: Fleet, { home, move, createdAt }: FoundTenant): Sql[] {
  const { tenant: id, key, plan, owner, labels, holds } = home;
  const leaving = move === null && home.status === 'offboarding';
  return [
    ...placesOf(fleet, home),
    ...(move === null ? [] : [move.source, move.target].flatMap((each) => placesOf(fleet, each))),
    rebuiltTenantInsert({ id, key, plan, owner, labels, createdAt }),
    ...placements(home, move),
    sql`select pg_notify('tenantctl', ${JSON.stringify({ tenant: id, ...placementOf(home), epoch: home.epoch })})`,
    statusUpdate(id, 'active'),
    ...statuses(home, move).map((status) => statusUpdate(id, status)),
    ...(leaving ? [offboardingAnew(fleet, id)] : []),
    ...(move === null ? [] : [moveRow(fleet, id, move)]),
    ...holds.map((hold) => rebuiltHoldInsert({ ...hold, tenant: id })),
    ...holds.map(({ hold }) =>
      auditInsert(fleet.actor, { action: 'hold.place', tenant: id, details: { hold, rebuilt: true } }),
    ),
    auditInsert(fleet.actor, {
      action: 'tenant.rebuild',
      tenant: id,
      unit: unitOf(home).id,
      details: { home: whereIs(home), epoch: home.epoch, status: home.status, move: move?.id ?? null },
    }),
  ];
}

/** Cluster, pool, plan and unit, as the configuration describes them now. */
function placesOf(fleet: Fleet, home: FoundHome): Sql[] {
  const cluster = fleet.cluster(home.cluster);
  const pool = cluster.pools[poolOf(home) ?? ''];
  const plan = home.plan === null ? undefined : fleet.settings.plans[home.plan];
  const unit = unitOf(home);
  return [
    clusterUpsert(cluster),
    ...(pool === undefined ? [] : [poolUpsert(cluster.name, pool)]),
    ...(plan === undefined ? [] : [planUpsert(plan)]),
    ...(home.plan === null || plan !== undefined ? [] : [planNamed(home.plan, home.tier)]),
    unitUpsert(unit),
    versionUpdate({ unit: unit.id, version: home.version }),
  ];
}

/** The epochs that are known: of a move both homes, and that to which its way back has led. */
function placements(home: FoundHome, move: FoundMove | null): Sql[] {
  if (move === null) return at(home, home.epoch);
  const { source, target, fromEpoch, toEpoch, state, undo } = move;
  if (state === 'planned' || state === 'moved') return at(source, fromEpoch);
  return [
    ...at(source, fromEpoch),
    ...at(target, toEpoch),
    ...(undo === 'flipped' ? at(source, toEpoch + 1) : []),
  ];
}

function at(home: FoundHome, epoch: number): Sql[] {
  return placementFlip(home.tenant, moveHome(home, epoch), unitOf(home).id);
}

/** What comes after `active`. */
function statuses(home: FoundHome, move: FoundMove | null): ('moving' | 'suspended' | 'offboarding')[] {
  if (move?.state === 'planned' || move?.state === 'moved') return ['moving'];
  if (move !== null && move.undo !== null) return [];
  if (move === null && home.status === 'offboarding') return ['offboarding'];
  return home.state === 'suspended' ? ['suspended'] : [];
}

/** Its day is not known any more, so it begins anew: `offboard` goes on with it, `offboard --cancel` brings it back. */
function offboardingAnew(fleet: Fleet, tenant: string): Sql {
  const { retention } = fleet.settings;
  const request = {
    id: randomUUID(),
    tenant,
    requestedBy: fleet.actor.actor,
    reason: 'rebuilt from its home; the day and the reason of the request are not known',
    basis: null,
    statusBefore: 'suspended' as const,
    retainMs: retention.periodMs,
    wantsExport: retention.export,
  };
  return offboardingInsert(request, fleet.actor);
}

function moveRow(fleet: Fleet, tenant: string, move: FoundMove): Sql {
  const { id, source, target, fromEpoch, toEpoch, state, undo } = move;
  const { maxPauseMs, maxLagMs, graceMs } = fleet.settings.moves;
  return rebuiltMoveInsert(
    {
      id,
      tenant,
      from: moveHome(source, fromEpoch),
      to: moveHome(target, toEpoch),
      state,
      undo,
      // Without one, a way back compares both homes table by table, as after a migration in the grace period.
      version: state === 'planned' ? (source.version?.id ?? null) : null,
      maxPauseMs,
      maxLagMs,
      graceMs,
    },
    fleet.actor,
  );
}

function moveHome(home: FoundHome, epoch: number): MoveHome {
  return { ...placementOf(home), epoch };
}

function placementOf(home: FoundHome): Placement {
  const { tier, cluster, database, schema, role } = home;
  return { tier, cluster, database, schema, pool: poolOf(home), role };
}

function poolOf({ tier, unit }: FoundHome): string | null {
  return driverOf(tier).facts.sharesUnit ? unit.slice('pool:'.length) : null;
}

function unitOf(home: FoundHome) {
  return { ...driverOf(home.tier).unit(home.tenant, placementOf(home)), adopted: home.adopted };
}
