import type { StoredFault } from '../../engine/catalog/run-units.js';
import type { Fleet } from '../../engine/context.js';
import { faultOf as migrationFaultOf } from '../../engine/ledger/fault.js';
import { waysBack } from '../../engine/ledger/way-back.js';
import type { RunHelp } from '../../engine/waves/job.js';
import { surveyUnits } from '../../engine/waves/survey.js';
import { wantBack } from '../../engine/waves/wishes.js';
import type { MigrationUnit } from '../../core/unit.js';
import { isTenantctlError } from '../../core/errors.js';
import { faultOf } from '../fault.js';
import { checkHealth } from './health.js';
import { findLatecomers } from './latecomers.js';
import type { LoadedRun } from './load.js';

/** What the wave engine asks of the parts that it does not know: tiers, hooks, shapes, words. */
export function helpFor(fleet: Fleet, loaded: LoadedRun): RunHelp {
  const { run, files, surveyed } = loaded;
  return {
    faultOf: storedFault,
    proveShapes: () => Promise.resolve(new Map()),
    checkHealth: (wave, units) => checkHealth(fleet, wave, units),
    latecomers: () => findLatecomers(fleet, run, files),
    prepareDatabase: () => Promise.resolve(),
    undo: (wave) =>
      surveyUnits(
        fleet,
        wave.all.flatMap((id) => surveyed.get(id)?.unit ?? []),
        wantBack(waysBack(files), (entry) => entry.run === run.id),
      ),
  };
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
