import { refusedError } from '../../core/errors.js';
import type { ExportManifest } from '../../core/export-manifest.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { LedgerEntry } from '../../engine/ledger/entries.js';
import { type Migration, migrationsFor } from '../../engine/ledger/migration.js';

/**
 * The migrations that the home had when it was exported.
 * @throws refusal `EXPORT_VERSION_UNKNOWN` (exit 6) when the files do not hold its newest under the same name
 */
export function migrationsAtExport(
  migrations: readonly Migration[],
  { migration }: ExportManifest,
): Migration[] {
  if (migration === null) return [];
  const file = migrations.find(({ id }) => id === migration.id);
  if (file?.name === migration.name) return migrations.filter(({ id }) => id <= migration.id);
  const found = file === undefined ? 'there is no such file' : `its number belongs to ${file.name}`;
  throw refusedError(
    'EXPORT_VERSION_UNKNOWN',
    `The export was made at migration ${migration.name}, but here ${found}.`,
    {
      hint: 'A home is made as the exported one was, and then migrated up: use the checkout of the migrations that it came from.',
      facts: { migration, found: file?.name ?? null },
    },
  );
}

/** The migrations that a home has in full. */
export function appliedIn(ledger: readonly LedgerEntry[]): LedgerEntry[] {
  return ledger.filter(({ state }) => state === 'applied');
}

/** An export and a home that is there: the newest migration of each, of those that both tiers have. */
interface Versions {
  exported: Migration | undefined;
  here: Migration | undefined;
}

/** A file for one tier only does not set the two apart. */
function versionsOf(
  migrations: readonly Migration[],
  manifest: ExportManifest,
  unit: MigrationUnit,
  applied: readonly { id: number }[],
): Versions {
  const common = migrationsFor(migrationsFor(migrations, manifest.home.tier), unit.tier);
  const there = new Set(applied.map(({ id }) => id));
  return {
    exported: common.findLast(({ id }) => id <= (manifest.migration?.id ?? 0)),
    here: common.findLast(({ id }) => there.has(id)),
  };
}

/** Has the home gone on since the export was made? */
export function isFurtherOn(...versions: Parameters<typeof versionsOf>): boolean {
  const { exported, here } = versionsOf(...versions);
  return (here?.id ?? 0) > (exported?.id ?? 0);
}

/**
 * Makes sure that a home which is there already is where the exported one was.
 * @param applied what the home has
 * @throws refusal `EXPORT_VERSION_DIFFERS` (exit 6)
 */
export function assertVersion(
  migrations: readonly Migration[],
  manifest: ExportManifest,
  unit: MigrationUnit,
  applied: readonly { id: number }[],
): void {
  const { exported, here } = versionsOf(migrations, manifest, unit, applied);
  if (exported?.id === here?.id) return;
  throw versionDiffers(
    unit,
    exported?.name ?? 'none',
    here?.name ?? 'none',
    (exported?.id ?? 0) > (here?.id ?? 0),
  );
}

function versionDiffers(unit: MigrationUnit, exported: string, here: string, behind: boolean) {
  const remedy = behind
    ? `Bring it there first: \`tenantctl migrate --select unit=${unit.id}\`.`
    : 'Restore it beside this one, into a new tenant: its rows are migrated up by themselves.';
  return refusedError(
    'EXPORT_VERSION_DIFFERS',
    `The export was made at migration ${exported}, and ${unit.id} is at ${here}.`,
    { hint: remedy, facts: { unit: unit.id, exported, here } },
  );
}
