import { EXIT, isTenantctlError } from '../../core/errors.js';
import type { RunStatus } from '../../core/events.js';
import { redact } from '../../core/redact.js';
import { type RunReport, haltReason } from '../../core/report.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import { ownStatusUpdate, runBegins } from '../../engine/catalog/run-control.js';
import { type StoredRun, findRun } from '../../engine/catalog/runs.js';
import { outcomesUpdate } from '../../engine/catalog/run-units.js';
import type { Fleet } from '../../engine/context.js';
import { applyPending } from '../../engine/ledger/apply.js';
import { ensureExtensions } from '../../engine/ledger/extensions.js';
import type { RunJob, RunWave, UnitWork } from '../../engine/waves/job.js';
import { inProcessLanes } from '../../engine/waves/lanes.js';
import { patiently, writePatiently } from '../../engine/waves/journal.js';
import { driveRun } from '../../engine/waves/run.js';
import type { Stop } from '../../engine/waves/stop.js';
import { takeBackWork } from '../../engine/waves/undo.js';
import type { Connection } from '../../pg/connection.js';
import { helpFor } from './help.js';
import { type LoadedRun, loadRun } from './load.js';
import type { PreparedRun } from './prepared.js';
import { readReport } from './report.js';

export interface ConductOptions {
  /** Stay and wait at gates? */
  wait: boolean;
  /** Stop after this wave, or null. */
  through: string | null;
}

/**
 * Drives a stored run from where it is: the same for a new one, one that was interrupted, and one whose
 * process was killed. Call it under the run lock.
 * @param prepared what its files and units look like, where that was just read to plan it
 * @returns the report of the whole run, read from what is stored
 */
export async function conductRun(
  fleet: Fleet,
  connection: Connection,
  stored: StoredRun,
  options: ConductOptions,
  prepared: PreparedRun | null = null,
): Promise<RunReport> {
  const loaded = await loadRun(fleet, connection, stored, prepared);
  const { run } = loaded;
  await begin(fleet, connection, loaded);
  fleet.reach('migrate.planned');
  const executor = inProcessLanes();
  const stop = await driveRun(fleet, executor, jobOf(fleet, loaded, options));
  await executor.close();
  fleet.reach('migrate.finished');
  const report = await patiently(() => fleet.catalog((fresh) => readReport(fresh, run.id)));
  const { status, reason } = standing(stop, report, fleet.signal);
  const { totals } = report;
  const phase = status === 'succeeded' || status === 'waiting' || status === 'paused' ? 'done' : 'failed';
  await writePatiently(fleet, [
    ownStatusUpdate(run.id, status, reason),
    auditInsert(fleet.actor, {
      action: `run.${run.kind}`,
      phase,
      run: run.id,
      details: { status, ...totals },
    }),
  ]);
  if (stop?.kind === 'broken') throw stop.error;
  // Somebody may have decided otherwise in the last moment.
  const ended = await patiently(() => fleet.catalog((fresh) => requireRun(fresh, run.id)));
  const final = { ...report, status: ended.status, reason: ended.reason };
  fleet.emit({ type: 'run.finished', status: final.status, totals, durationMs: report.durationMs }, run.id);
  return final;
}

async function begin(
  fleet: Fleet,
  connection: Connection,
  { run, waves, leftOut }: LoadedRun,
): Promise<void> {
  const rows = leftOut.map(({ unit, reason }) => ({
    unit,
    status: 'skipped' as const,
    reason,
    to: null,
    fault: null,
    ms: null,
  }));
  await connection.atomically([runBegins(run), ...(rows.length > 0 ? [outcomesUpdate(run.id, rows)] : [])]);
  const open = waves.flatMap((wave) => wave.open);
  const tenants = open.reduce((sum, { unit }) => sum + unit.tenantCount, 0);
  fleet.emit(
    { type: 'run.started', kind: run.kind, units: open.length, tenants, target: run.target?.name ?? null },
    run.id,
  );
}

function jobOf(fleet: Fleet, loaded: LoadedRun, { wait, through }: ConductOptions): RunJob {
  const { run, waves, surveyed } = loaded;
  return {
    run,
    waves: waves.filter((wave) => !isPassed(wave, waves)),
    surveyed,
    units: waves.reduce((sum, { units }) => sum + units, 0),
    failed: waves.reduce((sum, { failed }) => sum + failed, 0),
    work: run.kind === 'rollback' ? takeBackWork : applyWork(fleet, loaded),
    help: helpFor(fleet, loaded),
    wait,
    through: waves.slice(0, -1).find(({ name }) => name === through) ?? null,
  };
}

/** A wave that failed has passed its gate only when a later one has begun: it may have been halted before. */
function isPassed({ ordinal, status, open, takenBack }: RunWave, waves: readonly RunWave[]): boolean {
  if (takenBack || open.length > 0) return false;
  if (status !== 'failed') return status === 'succeeded' || status === 'rolled-back';
  return waves.some((later) => later.ordinal > ordinal && later.status !== 'pending');
}

function applyWork(fleet: Fleet, { files }: LoadedRun): UnitWork {
  return async (connection, target, { unit, ledger, goal }) => {
    const upTo = goal?.id ?? 0;
    const wanted = files.filter(({ id, directives }) => id <= upTo && directives.tiers.includes(unit.tier));
    await ensureExtensions(connection, fleet.settings.tenancy.extensionsSchema, wanted);
    await applyPending(connection, target, wanted, ledger);
  };
}

/** How a run stands when its drive has ended. */
function standing(
  stop: Stop | null,
  { totals, status, reason }: RunReport,
  signal: AbortSignal,
): { status: RunStatus; reason: string | null } {
  switch (stop?.kind) {
    case 'interrupted':
      return { status: 'paused', reason: `${whyInterrupted(signal)}; \`tenantctl runs resume\` goes on` };
    case 'decided':
      return { status, reason };
    case 'halted':
      return { status: 'paused', reason: haltReason(stop.reason) };
    case 'broken':
      return {
        status: 'paused',
        reason: `stopped: ${redact(stop.error instanceof Error ? stop.error.message : String(stop.error))}`,
      };
    case 'rolled-back':
      return { status: 'failed', reason: stop.reason };
    case 'waiting':
      return { status: 'waiting', reason: stop.reason };
    case undefined:
      if (totals.failed === 0) return { status: 'succeeded', reason: null };
      return { status: totals.succeeded > 0 ? 'partial' : 'failed', reason: null };
  }
}

function whyInterrupted({ reason }: AbortSignal): string {
  const timeout = isTenantctlError(reason) && reason.exit === EXIT.timeout;
  return timeout ? 'the time limit of --timeout was reached' : 'interrupted';
}

/** The stored run of this id. */
export async function requireRun(connection: Connection, id: string): Promise<StoredRun> {
  const run = await findRun(connection, id);
  if (run === undefined) throw new Error(`run ${id} is gone`);
  return run;
}
