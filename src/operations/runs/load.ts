import { shortId } from '../../core/short-id.js';
import { configError } from '../../core/errors.js';
import { indexBy } from '../../core/group-by.js';
import type { WaveSettings } from '../../core/settings.js';
import { type StoredRun, type StoredWave, readRunFiles, readWaves } from '../../engine/catalog/runs.js';
import { type StoredUnit, readRunUnits } from '../../engine/catalog/run-units.js';
import { listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';
import type { Migration } from '../../engine/ledger/migration.js';
import { waysBack } from '../../engine/ledger/way-back.js';
import { whyUnknown } from '../../engine/waves/gone.js';
import type { RunWave } from '../../engine/waves/job.js';
import { type SurveyedUnit, type Wish, surveyUnits } from '../../engine/waves/survey.js';
import { wantBack, wantMigrations } from '../../engine/waves/wishes.js';
import type { Connection } from '../../pg/connection.js';
import type { PreparedRun } from './prepared.js';
import { withChecks } from './storable-policy.js';
import { loadFleetMigrations } from '../migrations.js';

/** A stored run together with what its units look like now. */
export interface LoadedRun {
  run: StoredRun;
  /** The files of the run, as they were frozen, and all that there are here. */
  files: Migration[];
  all: readonly Migration[];
  units: StoredUnit[];
  waves: RunWave[];
  surveyed: Map<string, SurveyedUnit>;
  /** Units that are gone, or are to be left out for a reason that has come up since. */
  leftOut: { unit: string; reason: string }[];
}

/**
 * Reads a stored run and surveys its units.
 * @param prepared what was read already to plan this run, under the same run lock
 * @throws configuration error `RUN_FILES_CHANGED` (exit 3) when a file is not as it was when the run was made
 */
export async function loadRun(
  fleet: Fleet,
  connection: Connection,
  run: StoredRun,
  prepared: Pick<PreparedRun, 'all' | 'surveyed'> | null,
): Promise<LoadedRun> {
  const { all, files } = await requireFrozenFiles(fleet, connection, run, prepared?.all);
  const units = await readRunUnits(connection, run.id);
  const surveyed = indexBy(
    prepared?.surveyed ?? (await surveyStored(fleet, connection, units, wishOf(run, all, files))),
    ({ unit }) => unit.id,
  );
  const lost = undone(run, files, units, surveyed);
  const left = units.flatMap(({ unit, status }) => (isOpen(status) || lost.has(unit) ? [unit] : []));
  const leftOut = left.flatMap((unit) => {
    const found = surveyed.get(unit);
    if (found === undefined) return [{ unit, reason: whyUnknown(unit) }];
    return found.skip === null ? [] : [{ unit, reason: found.skip }];
  });
  const out = new Set(leftOut.map(({ unit }) => unit));
  const open = new Set(left.filter((unit) => !out.has(unit)));
  const waves = (await readWaves(connection, run.id)).map((wave) =>
    runWave(fleet, run, wave, units, open, surveyed),
  );
  return { run, files, all, units, waves, surveyed, leftOut };
}

/** Those of a run's units that the catalog still knows. */
async function surveyStored(
  fleet: Fleet,
  connection: Connection,
  units: readonly StoredUnit[],
  wish: Wish,
): Promise<SurveyedUnit[]> {
  const records = indexBy(await listUnits(connection, []), ({ id }) => id);
  const present = units.flatMap(({ unit }) => records.get(unit) ?? []);
  return surveyUnits(fleet, present, wish);
}

const isOpen = (status: string): boolean => status === 'pending' || status === 'running';

/**
 * Units that are recorded as done and do not have the files: their work was taken back, and a crash came before the
 * record of that. The ledger is the truth.
 */
function undone(
  run: StoredRun,
  files: readonly Migration[],
  units: readonly StoredUnit[],
  surveyed: ReadonlyMap<string, SurveyedUnit>,
): Set<string> {
  if (run.kind !== 'migrate') return new Set();
  const lacks = (unit: string) => surveyed.get(unit)?.pending.some((file) => files.includes(file)) ?? false;
  return new Set(units.flatMap(({ unit, status }) => (status === 'succeeded' && lacks(unit) ? [unit] : [])));
}

/**
 * The files of a run as they were frozen, and all that there are now.
 * @param known all that there are, where they were just read
 * @throws configuration error `RUN_FILES_CHANGED` (exit 3)
 */
export async function requireFrozenFiles(
  fleet: Fleet,
  connection: Connection,
  run: StoredRun,
  known?: readonly Migration[],
): Promise<{ all: readonly Migration[]; files: Migration[] }> {
  const all = known ?? (await loadFleetMigrations(fleet));
  const frozen = await readRunFiles(connection, run.id);
  return { all, files: frozen.map((file) => sameFile(run, file, all)) };
}

/** What a run wants of its units: migrations up to its target, or the way back. */
export function wishOf(run: StoredRun, all: readonly Migration[], files: readonly Migration[]): Wish {
  if (run.kind === 'migrate') return wantMigrations(all, run.target?.id ?? 0);
  const { ofRun, target } = run;
  return wantBack(waysBack(files, all), (entry) =>
    ofRun === null ? entry.id > (target?.id ?? 0) : entry.run === ofRun,
  );
}

function sameFile(
  run: StoredRun,
  frozen: { id: number; name: string; checksum: string },
  all: readonly Migration[],
): Migration {
  const file = all.find(({ id }) => id === frozen.id);
  if (file !== undefined && file.name === frozen.name && file.checksum === frozen.checksum) return file;
  throw configError(
    'RUN_FILES_CHANGED',
    file === undefined
      ? `Run ${run.id} was made with ${frozen.name}, which is not here.`
      : `${file.fileName} is not as it was when run ${run.id} was made.`,
    {
      hint: `Put it back as it was, or end the run with \`tenantctl runs abort ${shortId(run.id)}\`.`,
      facts: {
        run: run.id,
        migration: frozen.name,
        recorded: frozen.checksum,
        found: file?.checksum ?? null,
      },
    },
  );
}

/** A rollback asks no checks, whatever the configuration has for the wave. */
function settingsOf(fleet: Fleet, { kind, policy }: StoredRun, name: string): WaveSettings | null {
  const stored = policy.waves.find((wave) => wave.name === name);
  if (stored === undefined) return null;
  return kind === 'rollback' ? stored : withChecks(stored, fleet.settings.rollout.waves);
}

function runWave(
  fleet: Fleet,
  run: StoredRun,
  { ordinal, name, status, needsApproval }: StoredWave,
  units: readonly StoredUnit[],
  openUnits: ReadonlySet<string>,
  surveyed: ReadonlyMap<string, SurveyedUnit>,
): RunWave {
  const settings = settingsOf(fleet, run, name);
  const inWave = units.filter(({ wave, status: unit }) => wave === ordinal && unit !== 'skipped');
  const open = inWave.filter(({ unit }) => openUnits.has(unit));
  const failed = inWave.filter(({ status: state, forgiven }) => state === 'failed' && !forgiven);
  return {
    ordinal,
    name,
    status,
    needsApproval,
    settings,
    all: inWave.map(({ unit }) => unit),
    done: new Set(inWave.filter(({ status: state }) => state === 'succeeded').map(({ unit }) => unit)),
    units: inWave.length,
    failed: failed.length,
    failedPool: failed.find(({ unit }) => surveyed.get(unit)?.unit.shared)?.unit ?? null,
    takenBack: inWave.some(({ status: state }) => state === 'rolled-back'),
    open: open.map(({ unit, pages, lane, ordinal: turn }) => ({
      unit: (surveyed.get(unit) as SurveyedUnit).unit,
      pages,
      lane,
      ordinal: turn,
    })),
  };
}
