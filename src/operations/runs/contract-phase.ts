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

/**
 * The first contract-phase file that must not run yet. It takes away what older versions of an application
 * still use, so it waits for every unit of the fleet to have the expand that it completes, and for a go
 * of its own. Files keep their order: what comes behind it waits as well.
 * @param fleet the version of every unit of the fleet, selected or not
 */
export function contractBarrier(
  files: readonly Migration[],
  surveyed: readonly SurveyedUnit[],
  fleet: readonly UnitAt[],
  go: boolean,
): Barrier | null {
  const wanted = new Set(surveyed.flatMap(({ pending }) => pending.map(({ id }) => id)));
  for (const file of files) {
    if (file.directives.phase !== 'contract' || !wanted.has(file.id)) continue;
    const reason = whyItWaits(file, files, fleet, go);
    if (reason !== null) return { upTo: file.id - 1, held: { migration: file.name, reason } };
  }
  return null;
}

function whyItWaits(
  { directives: { after } }: Migration,
  files: readonly Migration[],
  fleet: readonly UnitAt[],
  go: boolean,
): string | null {
  const tiers = files.find(({ id }) => id === after)?.directives.tiers;
  const lacking = fleet
    .filter(({ tier, version }) => {
      const meant = tiers === undefined || tiers.includes(tier);
      return after !== null && meant && (version?.id ?? 0) < after;
    })
    .map(({ id }) => id);
  if (lacking.length > 0) {
    const more = lacking.length > NAMED ? ` and ${lacking.length - NAMED} more` : '';
    return `it completes ${after}, which these units lack: ${lacking.slice(0, NAMED).join(', ')}${more}`;
  }
  return go ? null : 'it is of the contract phase: give it a go with `tenantctl migrate --contract`';
}
