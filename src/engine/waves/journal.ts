import { setTimeout as sleep } from 'node:timers/promises';
import { type SeenVersion, versionsUpdate } from '../catalog/places.js';
import {
  type UnitMigrationRow,
  type UnitOutcomeRow,
  outcomesUpdate,
  startsUpdate,
  stepsUpdate,
  unitMigrationsInsert,
} from '../catalog/run-units.js';
import type { Fleet } from '../context.js';
import { isAway } from '../../pg/errors.js';
import type { Sql } from '../../pg/sql.js';

/** One write for so many units: 0.05 ms each instead of 0.65. */
const BATCH = 200;
/** What has been noted is written after this time at the latest, so that others see a slow unit at work. */
const LATEST_MS = 250;
/** How long the catalog may be away before the run gives up: a restart, a fail-over. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Takes down how units begin and end, in batches: the catalog is an index, the ledgers are the truth. A
 * catalog that is away for a moment is waited for; the units go on meanwhile.
 */
export class Journal {
  private begun = new Set<string>();
  private steps = new Map<string, string>();
  private outcomes: UnitOutcomeRow[] = [];
  private migrations: UnitMigrationRow[] = [];
  private writing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly fleet: Fleet,
    private readonly run: string,
  ) {}

  began(unit: string): void {
    this.begun.add(unit);
    this.writeLater();
  }

  /** Of several steps of a unit that come together, the last is kept. */
  step(unit: string, step: string): void {
    this.steps.set(unit, step);
    this.writeLater();
  }

  ended(outcome: UnitOutcomeRow, migrations: readonly UnitMigrationRow[]): void {
    this.outcomes.push(outcome);
    this.migrations.push(...migrations);
    if (this.outcomes.length >= BATCH) this.writeNow();
    else this.writeLater();
  }

  /** Writes what is left and waits until everything is written. @throws what the catalog said in the end */
  async flush(): Promise<void> {
    this.writeNow();
    await this.writing;
  }

  private writeLater(): void {
    this.timer ??= setTimeout(() => this.writeNow(), LATEST_MS);
  }

  private writeNow(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const statements = this.take();
    if (statements.length === 0) return;
    this.writing = this.writing.then(() => writePatiently(this.fleet, statements));
    // Reported by flush(); here it only must not count as unhandled.
    this.writing.catch(() => undefined);
  }

  private take(): Sql[] {
    const { begun, steps, outcomes: all, migrations } = this;
    [this.begun, this.steps, this.outcomes, this.migrations] = [new Set(), new Map(), [], []];
    // A unit that was done and then found to look otherwise has two; of two rows for one the server takes any.
    const ended = new Map<string, UnitOutcomeRow>();
    for (const one of all) ended.set(one.unit, { ...one, ms: one.ms ?? ended.get(one.unit)?.ms ?? null });
    const outcomes = [...ended.values()];
    const atWork = [...begun].filter((unit) => !ended.has(unit));
    const versions = outcomes.map(({ unit, to }): SeenVersion => ({ unit, version: to }));
    return [
      ...(atWork.length > 0 ? [startsUpdate(this.run, atWork)] : []),
      ...(steps.size > 0 ? [stepsUpdate(this.run, steps)] : []),
      ...(outcomes.length > 0 ? [outcomesUpdate(this.run, outcomes, begun)] : []),
      ...(versions.length > 0 ? [versionsUpdate(versions)] : []),
      ...(migrations.length > 0 ? [unitMigrationsInsert(this.run, migrations)] : []),
    ];
  }
}

/** Asks a server again and again while it cannot be reached. `work` must do no harm when it is done twice. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || performance.now() > deadline) throw error;
    }
    await sleep(pause);
  }
}

/** The same for statements that are written in one transaction. */
export async function writePatiently(fleet: Fleet, statements: readonly Sql[]): Promise<void> {
  await patiently(() => fleet.catalog((connection) => connection.atomically(statements)));
}
