import { TIERS } from '../core/tier.js';
import {
  type OpenMove,
  contractsBegun,
  dueOffboardings,
  oldestVersions,
  openMoves,
  readFleetCounts,
  readVersionCounts,
} from '../engine/catalog/overview.js';
import { recentRuns } from '../engine/catalog/runs.js';
import { type RunLine, runLine } from './runs/line.js';
import type { Fleet } from '../engine/context.js';
import type { MigrationFile } from '../engine/formats/format.js';
import { readMigrationFiles } from '../engine/formats/registry.js';
import type { Directives } from '../engine/ledger/directives.js';
import { findMigration } from '../engine/ledger/find.js';
import { directivesOf } from '../engine/ledger/migration.js';
import type { Connection } from '../pg/connection.js';

export interface FleetStatus {
  tiers: { tier: string; tenants: number; units: number; statuses: Record<string, number> }[];
  versions: { id: number | null; name: string | null; units: number }[];
  /** Units that lack a migration which is due, or up to the one required. */
  behind: { unit: string; version: string | null }[];
  /** The newest migration that is due, or the one required. */
  target: string | null;
  /** The file that waits for a go of its own, and every file behind it with it: not due until then. */
  held: { migration: string; reason: string }[];
  runs: RunLine[];
  moves: OpenMove[];
  /** Tenants whose retention period is over. */
  due: { tenant: string; dueAt: string }[];
}

type StatedFile = MigrationFile & { directives: Directives };

/** Units behind that are named one by one; the numbers above them count all. */
const NAMED = 100;

/**
 * The fleet at a glance, as the catalog knows it.
 * @param options.require the migration that every unit should have; the newest that is due when left out
 * @throws configuration error (exit 3) for a migration directory that cannot be read · usage error
 *   `MIGRATION_UNKNOWN` (exit 2)
 */
export async function fleetStatus(fleet: Fleet, options: { require?: string }): Promise<FleetStatus> {
  const files = await Promise.all(
    (await readMigrationFiles(fleet.settings.migrations)).map(async (file) => ({
      ...file,
      directives: await directivesOf(file),
    })),
  );
  const required = options.require === undefined ? undefined : findMigration(files, options.require);
  return fleet.catalog(async (connection) => {
    const waiting = required === undefined ? await firstHeld(connection, files) : undefined;
    const wanted = files.filter(
      ({ id }) => id <= (required?.id ?? Infinity) && id < (waiting?.id ?? Infinity),
    );
    return {
      tiers: await readFleetCounts(connection),
      ...(await readVersionCounts(connection, dueByTier(wanted), NAMED)),
      target: wanted.at(-1)?.name ?? null,
      held: waiting === undefined ? [] : [{ migration: waiting.name, reason: HELD }],
      runs: (await recentRuns(connection)).map(runLine),
      moves: await openMoves(connection),
      due: await dueOffboardings(connection),
    };
  });
}

const HELD = 'it is of the contract phase: it waits for `tenantctl migrate --contract`';

/**
 * The first contract-phase file that some unit lacks, until a run has been told to carry it out. That a new tenant
 * was made with it is no such go.
 */
async function firstHeld(
  connection: Connection,
  files: readonly StatedFile[],
): Promise<StatedFile | undefined> {
  const contracts = files.filter(({ directives }) => directives.phase === 'contract');
  if (contracts.length === 0) return undefined;
  const begun = await contractsBegun(connection);
  const oldest = await oldestVersions(connection);
  return contracts.find(
    ({ id, directives }) =>
      !begun.has(id) && directives.tiers.some((tier) => (oldest.get(tier) ?? Infinity) < id),
  );
}

/** A unit never has the files that are not for its tier. */
function dueByTier(files: readonly StatedFile[]): Map<string, number> {
  return new Map(
    TIERS.map((tier) => [tier, files.findLast(({ directives }) => directives.tiers.includes(tier))?.id ?? 0]),
  );
}
