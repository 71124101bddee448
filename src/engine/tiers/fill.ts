import { TOOL_VERSION } from '../../core/version.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import type { Fleet } from '../context.js';
import { applyFresh, applyPending } from '../ledger/apply.js';
import { readLedger } from '../ledger/entries.js';
import { type Migration, migrationsFor } from '../ledger/migration.js';
import type { MigrationTarget } from '../ledger/target.js';

/** The rules under which this fleet migrates a unit. */
export function targetOf(fleet: Fleet, unit: MigrationUnit, run: string | null = null): MigrationTarget {
  const { tenancy, rollout } = fleet.settings;
  return { unit, tenancy, rollout, run, toolVersion: TOOL_VERSION };
}

/**
 * Gives a home that nobody reads yet every migration of its tier. One that a crash left between
 * versions is brought up like any unit.
 */
export async function fillHome(
  fleet: Fleet,
  connection: Connection,
  unit: MigrationUnit,
  migrations: readonly Migration[],
): Promise<void> {
  const wanted = migrationsFor(migrations, unit.tier);
  const target = targetOf(fleet, unit);
  const ledger = await readLedger(connection, unit);
  if (ledger.length === 0) await applyFresh(connection, target, wanted);
  else await applyPending(connection, target, wanted, ledger);
}
