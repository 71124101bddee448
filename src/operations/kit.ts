import path from 'node:path';
import { readOccupancy } from '../engine/catalog/places.js';
import type { Occupancy } from '../engine/catalog/places.js';
import type { Fleet } from '../engine/context.js';
import type { Migration } from '../engine/ledger/migration.js';
import { type Place, type PlaceWish, choosePlace, fittingPlaces } from '../engine/placement/choose.js';
import { loadFleetMigrations } from './migrations.js';
import { type Seed, readSeed } from './seed.js';

/** What provisioning needs and does not change from one tenant to the next. */
export interface Kit {
  migrations: Migration[];
  seed: Seed | null;
  /** The programs of the hooks, to remember which of them a tenant is owed. */
  hookNames: string[];
  choose: (wish: PlaceWish) => Promise<Place>;
}

const kits = new WeakMap<Fleet, Promise<Kit>>();

/** Reads and checks migrations and seed, once for a fleet that is open. */
function prepareKit(fleet: Fleet): Promise<Kit> {
  const known = kits.get(fleet);
  if (known !== undefined) return known;
  const kit = assemble(fleet);
  kits.set(fleet, kit);
  return kit;
}

/** The same with the seed that one call asks for, read and checked before anything is changed. */
export async function kitFor(fleet: Fleet, request: { seed?: string }): Promise<Kit> {
  const kit = await prepareKit(fleet);
  return request.seed === undefined ? kit : { ...kit, seed: await readSeed(request.seed) };
}

async function assemble(fleet: Fleet): Promise<Kit> {
  const { settings } = fleet;
  const migrations = await loadFleetMigrations(fleet);
  const seed = await readSeed(settings.provision.seed);
  const hookNames = settings.hooks.afterProvision.map(([program = '']) => path.basename(program));
  return { migrations, seed, hookNames, choose: placeChooser(fleet) };
}

/** Counts what this process has placed since it last asked the catalog, so that thousands spread evenly. */
function placeChooser(fleet: Fleet): (wish: PlaceWish) => Promise<Place> {
  let occupancy: Promise<Occupancy[]> | undefined;
  return async (wish) => {
    if (fittingPlaces(fleet.settings, wish).length <= 1) return choosePlace(fleet.settings, wish, []);
    occupancy ??= fleet.catalog(readOccupancy);
    const counts = await occupancy;
    const place = choosePlace(fleet.settings, wish, counts);
    counts.push({ cluster: place.cluster.name, tier: wish.tier, pool: place.pool?.name ?? null, tenants: 1 });
    return place;
  };
}
