import { conflictError } from '../../core/errors.js';
import { NO_LIMITS } from '../../core/settings.js';
import type { Home } from '../../engine/local/placements.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { ident, sql } from '../../pg/sql.js';
import { alone } from '../tenant-lock.js';
import { type LocalHome, knownTenants, readLocalHomes } from './home-rows.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

/** A home of a tenant that the catalog has never heard of. */
export function unknownHome(context: DatabaseContext, home: LocalHome): DoctorFinding {
  const { tenant, schema, tier, state, epoch } = home;
  const halfMade = state === 'making';
  return {
    rule: 'unknown-home',
    level: halfMade ? 'warning' : 'error',
    where: `${placeName(context)}.${schema}`,
    message: halfMade
      ? `a home was begun here for tenant ${tenant}, of which the catalog knows nothing; it answers nobody`
      : `tenant ${tenant} lives here, and the catalog knows nothing of it: it is not routed, migrated or deleted`,
    hint: halfMade
      ? '`tenantctl doctor --fix` removes it if it holds no row. Otherwise see what is in it and drop it by hand.'
      : 'The catalog may be lost or an old copy. `tenantctl doctor --rebuild-catalog --dry-run` says what would be added to it from the homes.',
    facts: { tenant, database: context.session.database, schema, tier, state, epoch },
    ...(halfMade ? { mend: () => removeHalfMade(context, home) } : {}),
  };
}

/** Under the lock that everybody takes who makes a home: what is still unknown and unfinished then is nobody's. */
async function removeHalfMade(context: DatabaseContext, { tenant, schema }: LocalHome): Promise<void> {
  const { fleet, cluster, session } = context;
  const { database } = session;
  await alone(fleet, tenant, async (catalog) => {
    if ((await knownTenants(catalog, [tenant])).has(tenant)) return;
    const homes = await fleet.connections(cluster).use(database, readLocalHomes);
    const local = homes.find((each) => each.tenant === tenant && each.schema === schema);
    if (local === undefined || local.state !== 'making') return;
    const home = homeAt(context, local);
    const held = await tablesWithRows(context, home);
    if (held.length > 0) throw holdsRows(tenant, held);
    await driverOf(home.placement.tier).drop(fleet, home);
  });
}

function homeAt({ cluster, session }: DatabaseContext, local: LocalHome): Home {
  const { tenant, key, tier, schema, role, epoch, unit } = local;
  const pool = driverOf(tier).facts.sharesUnit ? unit.slice('pool:'.length) : null;
  return {
    tenant: { id: tenant, key, plan: null, owner: null, labels: {}, limits: NO_LIMITS },
    placement: { tier, cluster, database: session.database, schema, pool, role },
    epoch,
  };
}

/** Any row counts, those of migrations included: only what is empty is dropped without being asked about. */
async function tablesWithRows({ fleet }: DatabaseContext, home: Home): Promise<string[]> {
  const { cluster, database, schema } = home.placement;
  const relations = await driverOf(home.placement.tier).relations(fleet, home);
  return fleet.connections(cluster).use(database, (session) =>
    session.transaction(async () => {
      await session.execute(sql`select set_config('tenantctl.scope', 'fleet', true)`);
      const held: string[] = [];
      for (const { name, tenantColumn } of relations) {
        const ours =
          tenantColumn === null ? sql`true` : sql`${ident(tenantColumn)}::text = ${home.tenant.key}`;
        const row = await session.row(sql`select from ${ident(schema, name)} where ${ours} limit 1`);
        if (row !== undefined) held.push(name);
      }
      return held;
    }, 'begin read only'),
  );
}

function holdsRows(tenant: string, tables: readonly string[]) {
  return conflictError('HOME_HOLDS_ROWS', `The home of tenant ${tenant} holds rows: ${tables.join(', ')}.`, {
    hint: 'See what they are, and drop the home by hand.',
    facts: { tenant, tables },
  });
}
