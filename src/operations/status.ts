import {
  dueOffboardings,
  openMoves,
  readFleetCounts,
  readVersionCounts,
} from '../engine/catalog/overview.js';
import { recentRuns } from '../engine/catalog/runs.js';
import { type RunLine, runLine } from './runs/line.js';
import type { Fleet } from '../engine/context.js';
import { readMigrationFiles } from '../engine/formats/registry.js';
import { findMigration } from '../engine/ledger/find.js';

export interface FleetStatus {
  tiers: { tier: string; tenants: number; units: number; statuses: Record<string, number> }[];
  versions: { id: number | null; name: string | null; units: number }[];
  /** Units below the newest migration, or below the one required. */
  behind: { unit: string; version: string | null }[];
  target: string | null;
  runs: RunLine[];
  moves: Record<string, unknown>[];
  due: Record<string, unknown>[];
}

/** Units behind that are named one by one; the numbers above them count all. */
const NAMED = 100;

/**
 * The fleet at a glance, as the catalog knows it.
 * @param options.require the migration that every unit should have; the newest file when left out
 */
export async function fleetStatus(fleet: Fleet, options: { require?: string }): Promise<FleetStatus> {
  const files = await readMigrationFiles(fleet.settings.migrations);
  const target = options.require === undefined ? files.at(-1) : findMigration(files, options.require);
  return fleet.catalog(async (connection) => ({
    tiers: await readFleetCounts(connection),
    ...(await readVersionCounts(connection, target?.id ?? 0, NAMED)),
    target: target?.name ?? null,
    runs: (await recentRuns(connection)).map(runLine),
    moves: await openMoves(connection),
    due: await dueOffboardings(connection),
  }));
}
