import { setTimeout as sleep } from 'node:timers/promises';
import type { UnitOutcome } from '../../core/events.js';
import type { RunReport, WaveReport } from '../../core/report.js';
import { readRunUnits, type StoredUnit } from '../../engine/catalog/run-units.js';
import { listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';
import type { Tier } from '../../core/tier.js';
import { pickRun } from './pick.js';
import { readReport } from './report.js';

const LOOK_EVERY_MS = 500;

/**
 * Follows a run that another process drives and says what happens, until it ends, waits or is paused. It
 * only reads.
 * @returns the report as it stands then
 */
export async function watchRun(fleet: Fleet, wanted: string | undefined): Promise<RunReport> {
  const { run, tiers } = await fleet.catalog(async (connection) => ({
    run: await pickRun(connection, wanted),
    tiers: new Map((await listUnits(connection, [])).map(({ id, tier }) => [id, tier])),
  }));
  const watcher = new Watcher(fleet, run.id, tiers);
  for (;;) {
    const report = await watcher.look();
    if (report.status !== 'running' || fleet.signal.aborted) {
      fleet.emit(
        { type: 'run.finished', status: report.status, totals: report.totals, durationMs: report.durationMs },
        run.id,
      );
      return report;
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: fleet.signal }).catch(() => undefined);
  }
}

const OUTCOMES: Readonly<Record<string, UnitOutcome>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  skipped: 'skipped',
  'rolled-back': 'rolledBack',
};

/** Turns changes of rows into the events that the driving process said. */
class Watcher {
  private readonly waves = new Map<string, WaveReport['status']>();
  private readonly units = new Map<string, string>();
  private begun = false;

  constructor(
    private readonly fleet: Fleet,
    private readonly run: string,
    private readonly tiers: ReadonlyMap<string, Tier>,
  ) {}

  async look(): Promise<RunReport> {
    const { report, units } = await this.fleet.catalog(async (connection) => ({
      report: await readReport(connection, this.run),
      units: await readRunUnits(connection, this.run),
    }));
    if (!this.begun) this.start(report);
    for (const wave of report.waves) this.waveBegins(wave);
    for (const unit of units) this.unitChanges(unit, report.waves[unit.wave]?.name ?? null);
    for (const wave of report.waves) this.waveEnds(wave);
    return report;
  }

  private start({ kind, totals, to }: RunReport): void {
    this.begun = true;
    const { units, tenants } = totals;
    this.fleet.emit({ type: 'run.started', kind, units, tenants, target: to?.name ?? null }, this.run);
  }

  private waveBegins({ name, status, units }: WaveReport): void {
    if (status === 'pending' || this.waves.has(name)) return;
    this.waves.set(name, 'running');
    this.fleet.emit({ type: 'wave.started', wave: name, units }, this.run);
  }

  private waveEnds({ name, status, succeeded, failed }: WaveReport): void {
    if (!['succeeded', 'failed', 'rolled-back'].includes(status) || this.waves.get(name) === status) return;
    this.waves.set(name, status);
    this.fleet.emit({ type: 'wave.finished', wave: name, succeeded, failed }, this.run);
  }

  private unitChanges({ unit, status, fault, ms }: StoredUnit, wave: string | null): void {
    const before = this.units.get(unit);
    this.units.set(unit, status);
    if (before === status || status === 'pending') return;
    const tier = this.tiers.get(unit);
    if (before !== 'running' && tier !== undefined)
      this.fleet.emit({ type: 'unit.started', unit, tier, wave }, this.run);
    const outcome = OUTCOMES[status];
    if (outcome !== undefined)
      this.fleet.emit({ type: 'unit.finished', unit, outcome, ms: ms ?? 0, fault }, this.run);
  }
}
