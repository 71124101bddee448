import { tenancyOf } from '../../core/pool-rules.js';
import { TOOL_VERSION } from '../../core/version.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import type { Fleet } from '../context.js';
import { type Around, applyFresh, applyPending } from '../ledger/apply.js';
import { readLedger } from '../ledger/entries.js';
import { ensureExtensions } from '../ledger/extensions.js';
import { type Migration, migrationsFor } from '../ledger/migration.js';
import type { MigrationTarget } from '../ledger/target.js';
import { withAdoption } from '../local/adopted.js';

/**
 * Gives a home that was made in this moment every migration of its tier.
 * @param around statements that make the home and open it, in the same transaction
 */
export async function fillNewHome(
  fleet: Fleet,
  connection: Connection,
  unit: MigrationUnit,
  migrations: readonly Migration[],
  around?: Around,
): Promise<void> {
  const wanted = migrationsFor(migrations, unit.tier);
  await ensureExtensions(connection, fleet.settings.tenancy.extensionsSchema, wanted);
  await applyFresh(connection, targetOf(fleet, unit), wanted, around);
}

/**
 * Gives a home that nobody reads yet every migration of its tier, when it may have some already: one
 * that a crash left between versions is brought up like any unit.
 */
export async function fillHome(
  fleet: Fleet,
  connection: Connection,
  unit: MigrationUnit,
  migrations: readonly Migration[],
): Promise<void> {
  const ledger = await readLedger(connection, unit);
  if (ledger.length === 0) return fillNewHome(fleet, connection, unit, migrations);
  const wanted = migrationsFor(migrations, unit.tier);
  await ensureExtensions(connection, fleet.settings.tenancy.extensionsSchema, wanted);
  const known = await withAdoption(connection, unit);
  await applyPending(connection, targetOf(fleet, known), wanted, ledger);
}

/** The rules under which this fleet migrates a unit. */
function targetOf(fleet: Fleet, unit: MigrationUnit): MigrationTarget {
  const { settings } = fleet;
  return {
    unit,
    tenancy: tenancyOf(settings, unit),
    rollout: settings.rollout,
    run: null,
    toolVersion: TOOL_VERSION,
  };
}
