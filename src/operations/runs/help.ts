import type { StoredFault } from '../../engine/catalog/run-units.js';
import type { Fleet } from '../../engine/context.js';
import { faultOf as migrationFaultOf } from '../../engine/ledger/fault.js';
import { isReversible, waysBack } from '../../engine/ledger/way-back.js';
import { proveShapes } from '../../engine/shape/prove.js';
import { ShapeReferences } from '../../engine/shape/references.js';
import type { RunHelp } from '../../engine/waves/job.js';
import { type SurveyedUnit, surveyUnits } from '../../engine/waves/survey.js';
import { wantBack } from '../../engine/waves/wishes.js';
import type { MigrationUnit } from '../../core/unit.js';
import { isTenantctlError } from '../../core/errors.js';
import { faultOf } from '../fault.js';
import { checkHealth } from './health.js';
import { findHeld } from './held.js';
import { findLatecomers } from './latecomers.js';
import type { LoadedRun } from './load.js';

/** What the wave engine asks of the parts that it does not know: tiers, hooks, shapes, words. */
export function helpFor(fleet: Fleet, loaded: LoadedRun): RunHelp {
  const { run, files, all, surveyed } = loaded;
  // A rollback has only the files that it takes back; what is left is made by those before them.
  const references = new ShapeReferences(fleet, all, run.id);
  return {
    faultOf: storedFault,
    proveShapes: (units) => prove(fleet, references, units),
    checkHealth: (wave, units) => checkHealth(fleet, wave, units),
    latecomers: () => findLatecomers(fleet, loaded),
    held: () => findHeld(fleet, run),
    undo: (wave) =>
      surveyUnits(
        fleet,
        wave.all.flatMap((id) => surveyed.get(id)?.unit ?? []),
        // Older files of the fleet need no way back; whether those of this run have one was asked before its first unit.
        wantBack(waysBack(files.filter(isReversible), all), (entry) => entry.run === run.id),
      ),
  };
}

/** Compares units with what their version should look like; one without any migration looks like nothing. */
function prove(
  fleet: Fleet,
  references: ShapeReferences,
  units: readonly SurveyedUnit[],
): Promise<Map<string, string[]>> {
  const migrated = units.flatMap(({ unit, goal }) => (goal === null ? [] : [{ unit, version: goal }]));
  return proveShapes(fleet, migrated, references);
}

/** An error as a run's row keeps it. */
export function storedFault(error: unknown, unit: MigrationUnit): StoredFault {
  const { migration, file, line } = migrationFaultOf(unit, error);
  const known = isTenantctlError(error) ? error : undefined;
  const { blockers } = known?.facts ?? {};
  return {
    ...faultOf(error),
    hint: known?.hint ?? null,
    migration,
    file,
    line,
    ...(blockers === undefined ? {} : { facts: { blockers } }),
  };
}
