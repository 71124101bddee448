import type { MigrationUnit, UnitVersion } from '../../core/unit.js';
import type { Migration } from '../../engine/ledger/migration.js';
import type { SurveyedUnit } from '../../engine/waves/survey.js';

/** A unit of the fleet and how far it is. */
export interface UnitAt extends Pick<MigrationUnit, 'id' | 'tier'> {
  version: UnitVersion | null;
}

/** A file that waits, and every file behind it with it. */
export interface Barrier {
  /** The newest migration that may run. */
  upTo: number;
  held: { migration: string; reason: string };
}

const NAMED = 3;
const NO_GO = 'it is of the contract phase: give it a go with `tenantctl migrate --contract`';

/**
 * The first contract-phase file that must not run yet. It takes away what older versions of an application
 * still use, so it waits for every unit of the fleet to have the expand that it completes, and for a go
 * of its own. It waits for the end of every move too: until then a tenant may go back to a home that knows the old
 * shape only. Files keep their order: what comes behind it waits as well.
 * @param fleet the version of every unit of the fleet, selected or not
 * @param moving tenants whose move has not ended
 */
export function contractBarrier(
  files: readonly Migration[],
  surveyed: readonly SurveyedUnit[],
  fleet: readonly UnitAt[],
  moving: readonly string[],
  go: boolean,
): Barrier | null {
  const wanted = new Set(surveyed.flatMap(({ pending }) => pending.map(({ id }) => id)));
  for (const file of files) {
    if (file.directives.phase !== 'contract' || !wanted.has(file.id)) continue;
    const reason = whyItWaits(file, files, fleet) ?? whyMovesFirst(moving) ?? (go ? null : NO_GO);
    if (reason !== null) return { upTo: file.id - 1, held: { migration: file.name, reason } };
  }
  return null;
}

function whyItWaits(
  { directives: { after } }: Migration,
  files: readonly Migration[],
  fleet: readonly UnitAt[],
): string | null {
  const tiers = files.find(({ id }) => id === after)?.directives.tiers;
  const lacking = fleet
    .filter(({ tier, version }) => {
      const meant = tiers === undefined || tiers.includes(tier);
      return after !== null && meant && (version?.id ?? 0) < after;
    })
    .map(({ id }) => id);
  return lacking.length === 0 ? null : `it completes ${after}, which these units lack: ${some(lacking)}`;
}

function whyMovesFirst(tenants: readonly string[]): string | null {
  if (tenants.length === 0) return null;
  return `the moves of these tenants have not ended: ${some(tenants)}; \`tenantctl moves complete ${tenants[0]}\` ends one in its grace period`;
}

function some(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}
