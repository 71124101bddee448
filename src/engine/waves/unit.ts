import { setTimeout as sleep } from 'node:timers/promises';
import { isTenantctlError } from '../../core/errors.js';
import { tenancyOf } from '../../core/pool-rules.js';
import { TOOL_VERSION } from '../../core/version.js';
import { holdOn } from '../catalog/holds.js';
import type { StoredFault, UnitMigrationRow, UnitOutcomeRow } from '../catalog/run-units.js';
import type { Fleet } from '../context.js';
import { readLedger } from '../ledger/entries.js';
import { flushCommits } from '../ledger/flush.js';
import type { Migration } from '../ledger/migration.js';
import type { MigrationTarget } from '../ledger/target.js';
import { isAway } from '../../pg/errors.js';
import { whyGone } from './gone.js';
import type { RunJob } from './job.js';
import type { Journal } from './journal.js';
import { type SurveyedUnit, versionOf } from './survey.js';
import { whyMoving } from './wishes.js';

/** How one unit ended. */
export interface UnitResult {
  surveyed: SurveyedUnit;
  outcome: UnitOutcomeRow;
  migrations: UnitMigrationRow[];
  /** Did it fail so that the budget counts it? */
  counts: boolean;
  /** It is done where the server does not crash within the second (see `Confirmation`). */
  unconfirmed: boolean;
}

/** How a unit's work is committed. */
export interface Commits {
  /** Without waiting for the disk; who asks for this confirms the result. */
  flushedLater: boolean;
  /** The ledger may be another one than when the unit was surveyed. */
  again: boolean;
}

const AT_ONCE: Commits = { flushedLater: false, again: false };

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/** Does one unit's work and says how it ended; never throws. */
export async function executeUnit(
  fleet: Fleet,
  job: RunJob,
  surveyed: SurveyedUnit,
  journal: Journal,
  commits: Commits = AT_ONCE,
): Promise<UnitResult> {
  const began = performance.now();
  let error: unknown = surveyed.fault ?? undefined;
  if (error === undefined)
    error = await attempts(fleet, job, surveyed, journal, commits).then(noError, whatFailed);
  const ms = Math.round(performance.now() - began);
  return error === undefined
    ? succeeded(job, surveyed, ms, commits)
    : failed(fleet, job, surveyed, error, ms);
}

/** The work with its connection; when the connection or the server goes away, from the beginning with what the ledger says then. */
async function attempts(
  fleet: Fleet,
  job: RunJob,
  surveyed: SurveyedUnit,
  journal: Journal,
  { flushedLater, again }: Commits,
): Promise<void> {
  const { unit } = surveyed;
  const target = { ...targetOf(fleet, job, surveyed, journal), flushedLater };
  let current = surveyed;
  for (
    let attempt = 0, pause = FIRST_PAUSE_MS;
    ;
    attempt += 1, pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
  ) {
    try {
      await fleet.managed(unit.cluster, unit.database, async (connection) => {
        connection.touched += 1;
        if (again || attempt > 0) current = { ...surveyed, ledger: await readLedger(connection, unit) };
        await job.work(connection, target, current);
      });
      return;
    } catch (error) {
      if (!passes(error) || attempt >= job.run.policy.retries || fleet.signal.aborted) throw error;
    }
    await sleep(pause * (0.5 + Math.random()));
  }
}

/** A lost connection or server, and another process that has the unit right now, pass. */
function passes(error: unknown): boolean {
  return isAway(error) || (isTenantctlError(error) && error.code === 'UNIT_BUSY');
}

function targetOf(fleet: Fleet, job: RunJob, { unit }: SurveyedUnit, journal: Journal): MigrationTarget {
  return {
    unit,
    tenancy: tenancyOf(fleet.settings, unit),
    rollout: job.run.policy,
    run: job.run.id,
    toolVersion: TOOL_VERSION,
    onStep: (step) => {
      journal.step(unit.id, step);
      fleet.emit({ type: 'unit.step', unit: unit.id, step }, job.run.id);
    },
    signal: fleet.signal,
    watch: (work) => fleet.managed(unit.cluster, unit.database, work),
  };
}

function noError(): undefined {
  return undefined;
}

function whatFailed(error: unknown): unknown {
  return error ?? new Error('unknown');
}

function succeeded(job: RunJob, surveyed: SurveyedUnit, ms: number, { flushedLater }: Commits): UnitResult {
  const status = job.run.kind === 'rollback' ? 'rolled-back' : 'applied';
  const outcome = {
    unit: surveyed.unit.id,
    status: 'succeeded' as const,
    reason: null,
    to: surveyed.goal,
    fault: null,
    ms,
  };
  return {
    surveyed,
    outcome,
    migrations: [...doneBefore(job, surveyed), ...rowsOf(surveyed, surveyed.pending, status)],
    counts: false,
    // Of one that has nothing pending a killed process had done the work, and may not have confirmed it.
    unconfirmed: job.run.kind === 'migrate' && (flushedLater || surveyed.pending.length === 0),
  };
}

/** What a killed process of this run had done already. */
function doneBefore({ run }: RunJob, { unit, ledger }: SurveyedUnit): UnitMigrationRow[] {
  if (run.kind === 'rollback') return [];
  const done = ledger.filter((entry) => entry.run === run.id && entry.state === 'applied');
  return done.map(({ id }) => ({ unit: unit.id, id, status: 'applied', fault: null }));
}

function rowsOf(
  { unit }: SurveyedUnit,
  migrations: readonly Migration[],
  status: UnitMigrationRow['status'],
): UnitMigrationRow[] {
  return migrations.map(({ id }) => ({ unit: unit.id, id, status, fault: null }));
}

async function failed(
  fleet: Fleet,
  job: RunJob,
  surveyed: SurveyedUnit,
  error: unknown,
  ms: number,
): Promise<UnitResult> {
  const { unit } = surveyed;
  const fault = job.help.faultOf(error, unit);
  const base = { unit: unit.id, to: await versionNow(fleet, surveyed), ms };
  const failedOne = surveyed.pending.find(({ name }) => name === fault.migration);
  const done = surveyed.pending.slice(0, failedOne === undefined ? 0 : surveyed.pending.indexOf(failedOne));
  const before = rowsOf(surveyed, done, job.run.kind === 'rollback' ? 'rolled-back' : 'applied');
  const left = (status: 'pending' | 'skipped', reason: string): UnitResult => ({
    surveyed,
    outcome: { ...base, status, reason, fault: null },
    migrations: [],
    counts: false,
    unconfirmed: false,
  });
  if (fleet.cancelled) return left('pending', 'its statement was cancelled; nothing of it was kept');
  if (fault.code === 'UNIT_INTERRUPTED') return left('pending', fault.message);
  if (fault.code === 'UNIT_BUSY') return left('pending', 'another process is at work on it');
  if (fault.code === 'UNIT_MOVING') return left('skipped', whyMoving(await moveOn(fleet, unit.id)));
  if (fault.code === 'WAY_BACK_OPEN') return { ...left('skipped', waits(fault)), migrations: before };
  const gone = await whyGone(fleet, surveyed, fault.sqlstate);
  if (gone !== null) return left('skipped', gone);
  const migrations = [
    ...before,
    ...(failedOne === undefined
      ? []
      : [{ unit: unit.id, id: failedOne.id, status: 'failed' as const, fault }]),
  ];
  return {
    surveyed,
    outcome: { ...base, status: 'failed', reason: fault.code, fault },
    migrations,
    counts: true,
    unconfirmed: false,
  };
}

/** Its earlier files are kept, and it goes on when the move has ended: no failure of it. */
function waits({ message, hint }: StoredFault): string {
  return hint === null ? message : `${message} ${hint}`;
}

/** A catalog that is away for a moment leaves the reason without its particulars. */
function moveOn(fleet: Fleet, unit: string): Promise<string | null> {
  return fleet.catalog((connection) => holdOn(connection, unit)).catch(() => null);
}

/** What the ledger says after a failure, on the disk; what was known before where it cannot be read. */
async function versionNow(fleet: Fleet, { unit, version }: SurveyedUnit) {
  return fleet
    .managed(unit.cluster, unit.database, async (connection) => {
      await flushCommits(connection);
      return versionOf(await readLedger(connection, unit));
    })
    .catch(() => version);
}
