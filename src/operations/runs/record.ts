import { auditInsert } from '../../engine/catalog/audit.js';
import { versionsUpdate } from '../../engine/catalog/places.js';
import { type NewRun, type NewRunUnit, runInserts } from '../../engine/catalog/runs.js';
import type { Fleet } from '../../engine/context.js';
import type { SurveyedUnit } from '../../engine/waves/survey.js';
import type { Connection } from '../../pg/connection.js';
import { type PreparedRun, filesHashOf } from './prepared.js';
import { storablePolicy } from './storable-policy.js';

/** The catalog is an index of what the survey has just read from the ledgers. */
export async function indexVersions(
  connection: Connection,
  surveyed: readonly SurveyedUnit[],
): Promise<void> {
  const changed = surveyed.filter(
    ({ unit, version, fault }) => fault === null && unit.version?.id !== version?.id,
  );
  if (changed.length === 0) return;
  await connection.execute(versionsUpdate(changed.map(({ unit, version }) => ({ unit: unit.id, version }))));
}

/**
 * Stores a run before its first unit is touched: its files, its units and its policy do not change any more.
 * @param planDigest of the saved plan that it follows, or null
 */
export async function recordRun(
  fleet: Fleet,
  connection: Connection,
  id: string,
  prepared: PreparedRun,
  planDigest: string | null,
): Promise<void> {
  const run = newRun(id, prepared, planDigest);
  const { kind, target } = prepared;
  const details = { to: target?.name ?? null, units: run.units.length, ofRun: prepared.ofRun };
  await connection.atomically([
    ...runInserts(fleet.actor, run),
    auditInsert(fleet.actor, { action: `run.${kind}`, phase: 'intent', run: id, details }),
  ]);
}

function newRun(id: string, prepared: PreparedRun, planDigest: string | null): NewRun {
  const { kind, target, ofRun, selection, policy, files, surveyed, waves } = prepared;
  const settings = new Map(policy.waves.map((wave) => [wave.name, wave]));
  const units = runUnits(prepared);
  return {
    id,
    kind,
    target,
    ofRun,
    selection,
    policy: storablePolicy(policy),
    planDigest,
    filesHash: filesHashOf(prepared),
    unchanged: surveyed.length - units.length,
    migrations: files.map(({ id: file, name, checksum, directives }) => ({
      id: file,
      name,
      checksum,
      phase: directives.phase,
    })),
    waves: waves.map(({ name }) => ({ name, needsApproval: settings.get(name)?.approve ?? false })),
    units,
  };
}

/** Those with a place in a wave, and those left out with their reason in the last. */
function runUnits({ waves, surveyed }: PreparedRun): NewRunUnit[] {
  const versions = new Map(surveyed.map(({ unit, version }) => [unit.id, version?.id ?? null]));
  const planned = waves.flatMap(({ units }, wave) =>
    units.map(({ unit, pages, lane, ordinal }) => ({
      unit: unit.id,
      wave,
      ordinal,
      lane,
      pages,
      tenants: unit.tenantCount,
      from: versions.get(unit.id) ?? null,
      status: 'pending' as const,
      reason: null,
    })),
  );
  const leftOut = surveyed.filter(({ skip }) => skip !== null);
  return [
    ...planned,
    ...leftOut.map(({ unit, pages, version, skip }, index) => ({
      unit: unit.id,
      wave: waves.length - 1,
      ordinal: planned.length + index,
      lane: 'none',
      pages,
      tenants: unit.tenantCount,
      from: version?.id ?? null,
      status: 'skipped' as const,
      reason: skip,
    })),
  ];
}
