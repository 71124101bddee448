import { parseTenantId } from '../../core/tenant.js';
import { type TenantRecord, findTenant, requireTenant } from '../../engine/catalog/tenants.js';
import { listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';
import { type Migration, migrationsFor } from '../../engine/ledger/migration.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { type Kit, kitFor } from '../kit.js';
import { newPlacement } from '../provision-steps.js';
import { type Bag, openBag, rowsOf } from './bag.js';
import { type ReplaceRequest, backupOf, preflight } from './replace.js';
import { type RestoreRequest, assertSameRestore, requestOf } from './restore.js';
import { assertVersion, isFurtherOn, migrationsAtExport } from './version.js';

/** What a restore would do: nothing was changed. */
export interface RestorePlan {
  plan: { steps: string[] };
}

const NAMED_TABLES = 8;

/** What `restoreTenant` would do. @throws what it throws before it changes anything */
export async function planRestore(fleet: Fleet, request: RestoreRequest): Promise<RestorePlan> {
  const bag = await openBag(request.directory, request.publicKey);
  const asked = requestOf(request, bag);
  const kit = await kitFor(fleet, {});
  return fleet.catalog(async (connection) => {
    const known = await findTenant(connection, asked.id);
    if (known !== undefined) assertSameRestore(known, asked, bag, fleet.settings.tenancy.columnType);
    if (known !== undefined && known.status !== 'provisioning')
      return { plan: { steps: [`nothing: tenant ${known.id} was restored from this export`] } };
    const placement = known ?? (await newPlacement(fleet, kit, asked));
    const { tier, cluster, database, schema, pool, role } = placement;
    const shared = driverOf(tier).facts.sharesUnit;
    const unit = driverOf(tier).unit(asked.id, placement);
    const newer = shared ? await poolVersion(connection, kit, bag, unit, request.atExport === true) : null;
    const place = `${pool === null ? '' : `pool ${pool}, `}schema ${schema} of database ${database}`;
    const steps = [
      cameFrom(bag),
      known === undefined
        ? `write tenant ${asked.id} to the catalog as provisioning`
        : `go on with tenant ${asked.id}, which is still being restored`,
      `make its home in tier ${tier}: ${place} on cluster ${cluster}, reached as role ${role}${newer === null ? versionOf(bag) : ''}`,
      ...(newer === null ? [] : [newer]),
      ...fillSteps(bag),
      ...(shared ? [] : upSteps(kit, bag, tier, request.atExport === true)),
      'open the home and set the tenant active; no seed is run',
      ...fleet.settings.hooks.afterProvision.map(([program]) => `run the hook ${program}`),
    ];
    return { plan: { steps } };
  });
}

/** What `replaceTenant` would do. @throws what it throws before it changes anything */
export async function planReplacement(fleet: Fleet, request: ReplaceRequest): Promise<RestorePlan> {
  const id = parseTenantId(request.into);
  const bag = await openBag(request.directory, request.publicKey);
  const record: TenantRecord = await fleet.catalog((connection) => requireTenant(connection, id));
  const { home } = await fleet.catalog((connection) => preflight(fleet, connection, bag, record));
  const { schema, database, cluster } = home.placement;
  const steps = [
    cameFrom(bag),
    `shut tenant ${id}: readers and writers are refused with TC002`,
    `export what it has in schema ${schema} of database ${database} on cluster ${cluster} to ${backupOf(request)}`,
    `in one transaction delete its rows there; ${fillSteps(bag).join('; ')}`,
    record.status === 'active' ? `serve tenant ${id} again` : `leave tenant ${id} ${record.status}, as it is`,
  ];
  return { plan: { steps } };
}

/**
 * As far as the catalog knows; nothing is opened for a plan.
 * @returns what is done first when the pool has gone on since the export, otherwise null
 */
async function poolVersion(
  connection: Connection,
  kit: Kit,
  bag: Bag,
  unit: MigrationUnit,
  atExport: boolean,
): Promise<string | null> {
  const files = migrationsFor(kit.migrations, unit.tier);
  const known = (await listUnits(connection, [])).find(({ id }) => id === unit.id)?.version ?? null;
  const applied = known === null ? files : files.filter(({ id }) => id <= known.id);
  if (!atExport && isFurtherOn(kit.migrations, bag.manifest, unit, applied))
    return `the pool is at ${applied.at(-1)?.name}: put the rows into a schema made${versionOf(bag)}, migrate them up there, and take the schema away`;
  assertVersion(kit.migrations, bag.manifest, unit, applied);
  return null;
}

function cameFrom({ manifest }: Bag): string {
  const { tenant, createdAt, home } = manifest;
  return `take the export of tenant ${tenant.id} (tier ${home.tier}) from ${createdAt}${versionOf({ manifest })}; it was verified`;
}

function versionOf({ manifest: { migration } }: Pick<Bag, 'manifest'>): string {
  return migration === null ? '' : `, at migration ${migration.name}`;
}

function fillSteps({ manifest }: Bag): string[] {
  const tables = manifest.tables.filter(({ kind }) => kind === 'tenant');
  const named = tables.slice(0, NAMED_TABLES).map(({ table, rows }) => `${table} ${rows}`);
  const more = tables.length > named.length ? `, and ${tables.length - named.length} more tables` : '';
  return [
    `bring in ${rowsOf(manifest)} rows of ${tables.length} tables: ${named.join(', ')}${more}`,
    'compare count and hash of every table with the export',
  ];
}

function upSteps(
  kit: Kit,
  bag: Bag,
  tier: Migration['directives']['tiers'][number],
  stays: boolean,
): string[] {
  const first = migrationsAtExport(kit.migrations, bag.manifest);
  if (stays) return ['leave it at the migration of the export'];
  const newest = first.at(-1)?.id ?? 0;
  const later = migrationsFor(kit.migrations, tier).filter(({ id }) => id > newest);
  const last = later.at(-1);
  return last === undefined
    ? []
    : [`migrate it up to ${last.name}: ${later.length} migration${later.length === 1 ? '' : 's'}`];
}
