import { findTenant } from '../engine/catalog/tenants.js';
import { rulesInWords, rulesOfPool } from '../core/pool-rules.js';
import { tenantKey } from '../core/tenant-key.js';
import type { Fleet } from '../engine/context.js';
import { migrationsFor } from '../engine/ledger/migration.js';
import { driverOf } from '../engine/tiers/registry.js';
import { type Kit, kitFor } from './kit.js';
import { type ProvisionRequest, assertNotRestoring, assertSameRequest, wishOf } from './provision-plan.js';

/** What `provision` would do, as sentences in order; nothing is changed. */
export async function provisionSteps(fleet: Fleet, request: ProvisionRequest): Promise<string[]> {
  const kit = await kitFor(fleet, request);
  const known = await fleet.catalog((connection) => findTenant(connection, request.id));
  if (known !== undefined) assertSameRequest(known, request, fleet.settings.tenancy.columnType);
  if (known !== undefined && known.status !== 'provisioning')
    return [`nothing: tenant ${known.id} is ${known.status}`];
  if (known !== undefined) assertNotRestoring(known);
  const { hooks } = fleet.settings;
  const placement = known ?? (await newPlacement(fleet, kit, request));
  const { tier, cluster, database, schema, pool, role } = placement;
  const { sharesUnit } = driverOf(tier).facts;
  const where = `${pool === null ? '' : `pool ${pool}, `}schema ${schema} of database ${database}`;
  return [
    known === undefined
      ? `write tenant ${request.id} to the catalog as provisioning`
      : `go on with tenant ${request.id}, which is still provisioning`,
    `make its home in tier ${tier}: ${where} on cluster ${cluster}, reached as role ${role}`,
    sharesUnit
      ? `rely on the pool's migrations and its row-level security (${rulesInWords(rulesOfPool(fleet.settings, placement))})`
      : `apply ${migrationsFor(kit.migrations, tier).length} migrations in one transaction`,
    ...(kit.seed === null ? [] : [`run the seed ${kit.seed.path} as the tenant`]),
    'open the home and set the tenant active',
    ...hooks.afterProvision.map(([program]) => `run the hook ${program}`),
  ];
}

/** Where a new tenant would live; nothing is changed, and nothing is opened. */
export async function newPlacement(fleet: Fleet, kit: Kit, request: ProvisionRequest) {
  const wish = wishOf(fleet.settings, request);
  const { cluster, pool } = await kit.choose(wish);
  tenantKey(request.key, fleet.settings.tenancy.columnType, request.id);
  return driverOf(wish.tier).place(request.id, cluster, pool, fleet.settings.tenancy);
}
