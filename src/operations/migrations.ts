import { newestVersion } from '../engine/catalog/overview.js';
import type { Fleet } from '../engine/context.js';
import { placeOf } from '../engine/ledger/adaptation.js';
import { type Migration, loadMigrations } from '../engine/ledger/migration.js';

const LISTED = 3;
const told = new WeakSet<Fleet>();

/**
 * Loads the migrations of a fleet, and says what a person should look at in them: once, and only while no unit has the
 * file, as later it has been told.
 * @throws configuration error (exit 3) for files that cannot run
 */
export async function loadFleetMigrations(fleet: Fleet): Promise<Migration[]> {
  const { migrations: settings, tenancy } = fleet.settings;
  const migrations = await loadMigrations(settings, tenancy.extensionsSchema);
  const doubtful = migrations.filter(({ remarks }) => remarks.length > 0);
  if (doubtful.length === 0 || told.has(fleet)) return migrations;
  told.add(fleet);
  const newest = await fleet.catalog(newestVersion);
  tellRemarks(
    fleet,
    doubtful.filter(({ id }) => id > newest),
  );
  return migrations;
}

/** One line for each kind of remark, however many places have it. */
function tellRemarks(fleet: Fleet, migrations: readonly Migration[]): void {
  const remarks = migrations.flatMap((migration) => migration.remarks);
  for (const text of new Set(remarks.map((remark) => remark.text))) {
    const places = remarks.filter((remark) => remark.text === text).map(placeOf);
    const more = places.length > LISTED ? ` and ${places.length - LISTED} more` : '';
    const message = `${places.slice(0, LISTED).join(', ')}${more}: ${text}`;
    fleet.emit({ type: 'notice', level: 'warning', code: 'MIGRATION_REMARK', message });
  }
}
