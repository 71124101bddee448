import { counted } from '../../core/counted.js';
import { groupBy, indexBy } from '../../core/group-by.js';
import { conflictError, refusedError } from '../../core/errors.js';
import { type KnownTenant, readKnown } from '../../engine/catalog/rebuild.js';
import type { Fleet } from '../../engine/context.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { type FoundTenant, choose } from './choose.js';
import { type FoundHome, readHomes, whereIs } from './read-homes.js';

/** What a rebuild would add, and what it leaves. */
export interface RebuildPlan {
  tenants: FoundTenant[];
  /** Tenants that the catalog knows already, where their homes are. */
  known: number;
  /** Tenants that are not added, and why. */
  left: { tenant: string; reason: string }[];
}

/**
 * Looks at every home of the fleet and at the catalog. Nothing is changed.
 * @throws refusal `FLEET_NOT_SEEN`, `HOMES_CLASH` or `CATALOG_DIFFERS` (exit 6)
 */
export async function planRebuild(fleet: Fleet): Promise<RebuildPlan> {
  const known = await fleet.catalog(readKnown);
  const homes = await readHomes(fleet);
  const foreign = homes.filter((home) => !isOurs(fleet, home));
  const ours = homes.filter((home) => isOurs(fleet, home));
  const plan: RebuildPlan = { tenants: [], known: 0, left: foreign.map(leftAsForeign) };
  const catalog = new Catalog(known);
  for (const [tenant, its] of groupBy(ours, (home) => home.tenant)) {
    const choice = choose(its);
    if ('clash' in choice) throw homesClash(...choice.clash);
    if ('left' in choice) {
      if (!catalog.knows(tenant)) plan.left.push({ tenant, reason: choice.left });
    } else if (catalog.lacks(choice.tenant)) plan.tenants.push(choice.tenant);
    else plan.known += 1;
  }
  if (catalog.differing.length > 0) throw catalogDiffers(catalog.differing);
  return plan;
}

/** What the catalog says already is never overwritten. */
class Catalog {
  readonly differing: string[] = [];
  private readonly byId: Map<string, KnownTenant>;
  private readonly byKey: Map<string, KnownTenant>;

  constructor(known: readonly KnownTenant[]) {
    this.byId = indexBy(known, ({ id }) => id);
    this.byKey = indexBy(known, ({ key }) => key);
  }

  knows(tenant: string): boolean {
    return this.byId.has(tenant);
  }

  /** Is it to be added? One that is known otherwise is remembered as differing. */
  lacks({ home }: FoundTenant): boolean {
    const known = this.byId.get(home.tenant) ?? this.byKey.get(home.key);
    if (known === undefined) return true;
    if (!agrees(known, home)) this.differing.push(home.tenant);
    return false;
  }
}

/** Deleted and moving tenants are told of by the rules of the doctor. */
function agrees(known: KnownTenant, home: FoundHome): boolean {
  if (known.status === 'deleted' || known.status === 'provisioning' || known.moving) return true;
  const { tenant, key, cluster, database, schema, epoch } = home;
  return (
    known.id === tenant &&
    known.key === key &&
    known.cluster === cluster &&
    known.database === database &&
    known.schema === schema &&
    known.epoch === epoch
  );
}

/**
 * Another fleet may live on the same servers. Ours are the databases that the configuration names for pools and schemas,
 * with the pools that it knows in them, and databases with the name that it gives to those of tenants. Homes that another
 * tool had made have names of their own: ours are those that were adopted into a catalog of this name.
 */
function isOurs({ settings, catalogDatabase }: Fleet, home: FoundHome): boolean {
  const cluster = settings.clusters[home.cluster];
  if (cluster === undefined) return false;
  const driver = driverOf(home.tier);
  if (!driver.facts.sharesUnit && home.adoptedInto !== null) return home.adoptedInto === catalogDatabase;
  if (driver.facts.drops === 'database')
    return driver.place(home.tenant, cluster, null, settings.tenancy).database === home.database;
  const pools = Object.values(cluster.pools);
  if (!driver.facts.sharesUnit)
    return [cluster.schemaDatabase, ...pools.map(({ database }) => database)].includes(home.database);
  return pools.some(
    ({ name, database, schema }) =>
      `pool:${name}` === home.unit && database === home.database && schema === home.schema,
  );
}

function leftAsForeign(home: FoundHome): { tenant: string; reason: string } {
  return {
    tenant: home.tenant,
    reason:
      home.adoptedInto === null
        ? `the configuration does not name its home: ${whereIs(home)} (${home.unit}). If it is this fleet's, name the pool, or correct tenancy.names, and repeat`
        : `it was adopted into a catalog in database ${home.adoptedInto}: ${whereIs(home)}. If that was this fleet's, give the database of the catalog that name, and repeat`,
  };
}

function homesClash(one: FoundHome, other: FoundHome) {
  const what = one.key === other.key ? `two homes of epoch ${one.epoch}` : 'two homes with different keys';
  return refusedError(
    'HOMES_CLASH',
    `Tenant ${one.tenant} has ${what}: ${whereIs(one)}, and ${whereIs(other)}. The catalog is not rebuilt by guessing.`,
    {
      hint: 'One of them was brought back from a backup or copied. Find out which one the application has written to, drop the other by hand, and repeat.',
      facts: { tenant: one.tenant, homes: [whereIs(one), whereIs(other)] },
    },
  );
}

function catalogDiffers(tenants: readonly string[]) {
  const named = tenants.slice(0, 5).join(', ');
  return refusedError(
    'CATALOG_DIFFERS',
    `The catalog knows ${counted(tenants.length, 'tenant')} otherwise than the homes do: ${named}. It is not overwritten.`,
    {
      hint: 'Bring back a newer backup of the catalog. Or name an empty database for the catalog, run `tenantctl init`, and rebuild it there: what only this catalog knows, as deleted tenants and certificates, is not in it then.',
      facts: { tenants: tenants.slice(0, 100) },
    },
  );
}

/** Nobody else rebuilds this catalog meanwhile. */
export function rebuildInProgress() {
  return conflictError('REBUILD_IN_PROGRESS', 'Another process is rebuilding this catalog.', {
    hint: 'Wait for it and run the same command again.',
  });
}
