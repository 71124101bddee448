import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { conflictError } from '../../core/errors.js';
import type { Fleet } from '../../engine/context.js';
import type { Migration } from '../../engine/ledger/migration.js';
import type { Home } from '../../engine/local/placements.js';
import { admissionIfOurs } from '../../engine/tiers/place-taken.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { exportHome } from '../export.js';
import { type Bag, openBag } from './bag.js';
import { fillOwnHome } from './fill-own-home.js';
import { fillingOf } from './filling.js';
import { migrationsAtExport } from './version.js';

/** A schema is the quickest home to make and to take away, and knows no other tenant. */
const PASSING_TIER = 'schema';

interface Older {
  bag: Bag;
  /** The home in which its rows are to be in the end. */
  home: Home;
  /** Those of that home. */
  migrations: readonly Migration[];
  permit(session: Connection, home: Home): Promise<void>;
}

/**
 * An export as it would be at the migrations of a home that has gone on since. Its rows are put into a schema made as the
 * exported home was, migrated up there, and exported again. Nobody is let into that schema, and nothing of it stays: what
 * a crash leaves, the same call begins anew.
 * @param work is given the newer export, which is there only for that long
 */
export async function broughtUp<T>(fleet: Fleet, older: Older, work: (newer: Bag) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tenantctl-restore-'));
  try {
    const directory = path.join(folder, 'export');
    await exportAtNewer(fleet, older, directory);
    return await work(await openBag(directory));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function exportAtNewer(
  fleet: Fleet,
  { bag, home, migrations, permit }: Older,
  directory: string,
): Promise<void> {
  const passing = await passingHome(fleet, home);
  const driver = driverOf(passing.placement.tier);
  const filling = fillingOf(fleet, bag, passing, (session) => permit(session, passing));
  try {
    await driver.create(fleet, passing, migrationsAtExport(migrations, bag.manifest));
    await fillOwnHome(filling, () => undefined);
    await driver.create(fleet, passing, migrations);
    const text = `its rows were migrated up in schema ${passing.placement.schema}`;
    fleet.emit({ type: 'tenant.step', tenant: home.tenant.id, text });
    await exportHome(fleet, passing, { directory });
  } catch (error) {
    await driver.drop(fleet, passing).catch(() => undefined);
    throw error;
  }
  await driver.drop(fleet, passing);
}

/**
 * A schema under a name of its own, as the tenant may have a place in that database already. What a call that was killed has
 * left there goes.
 * @throws conflict `PLACE_TAKEN`, `PLACE_HELD` or `HOME_OPEN` (exit 5) when something else is there
 */
async function passingHome(fleet: Fleet, home: Home): Promise<Home> {
  const driver = driverOf(PASSING_TIER);
  const cluster = fleet.cluster(home.placement.cluster);
  const id = `restoring-${createHash('sha256').update(home.tenant.id).digest('hex').slice(0, 12)}`;
  const passing = {
    ...home,
    tenant: { ...home.tenant, id },
    placement: driver.place(id, cluster, null, fleet.settings.tenancy),
  };
  const found = admissionIfOurs(passing, await driver.inspect(fleet, passing));
  if (found === 'making') await driver.drop(fleet, passing);
  else if (found !== undefined) throw homeOpen(passing, found);
  return passing;
}

function homeOpen({ tenant, placement }: Home, state: string) {
  return conflictError(
    'HOME_OPEN',
    `Schema ${placement.schema} of database ${placement.database} is ${state} for tenant ${tenant.id}; the rows cannot be migrated up there.`,
    {
      hint: '`tenantctl doctor` tells how it stands. Restore the export under another id with --as.',
      facts: { tenant: tenant.id, schema: placement.schema, state },
    },
  );
}
