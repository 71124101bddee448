import type { Finding } from '../../core/finding.js';
import { listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';
import { loadFleetMigrations } from '../migrations.js';
import { Tally } from '../tally.js';
import { findUnseen } from './drift-rules/not-compared.js';
import { LEDGER_RULES, STATE_RULES } from './drift-rules/registry.js';
import { ledgersOf } from './drift/ledgers.js';
import { compareShapes } from './drift/shapes.js';
import type { ShapeGroup } from './drift/shape-group.js';
import { withoutSettled } from './drift/settled.js';
import { type SeenUnit, surveyFleet } from './drift/survey.js';
import { stateFinding } from './drift/told-states.js';

export type { ShapeGroup };

/** What `check drift` gives. */
export interface DriftCheck {
  findings: Finding[];
  shapes: ShapeGroup[];
  /** Units whose shape was left out, as a tenant is being moved out of them or into them, or as a migration is half done. */
  skipped: { unit: string; reason: string }[];
}

/**
 * Compares the shapes of all units with each other, with the ledgers and with the files, and finds what is there and out
 * of work. Nothing is written: not to the fleet, nor to the catalog. A few queries a database do, whatever the number of
 * units in it; of units that look alike one is read.
 * What cannot be reached is a finding, and the rest is compared.
 * @throws configuration error (exit 3) for files that cannot be read · connection error (exit 4) when the catalog is away
 *   · `LOOK_STOPPED` (exit 130) once somebody wants it to end
 */
export async function checkDrift(fleet: Fleet, tally = new Tally()): Promise<DriftCheck> {
  const migrations = await loadFleetMigrations(fleet);
  const all = await fleet.catalog((connection) => listUnits(connection, []));
  const units = all.filter(({ moving }) => moving === null);
  const { seen, unseen, states } = await surveyFleet(fleet, units, STATE_RULES, tally);
  const whole = seen.filter((one) => !isHalfMigrated(one));
  const { findings, shapes, lost, ...marks } = await compareShapes(fleet, whole, migrations);
  const ledgers = ledgersOf(seen, migrations);
  return {
    findings: [
      ...findUnseen([...unseen, ...lost]),
      ...findings,
      ...LEDGER_RULES.flatMap(({ look }) => look(ledgers)),
      ...withoutSettled(states, seen, ledgers).flatMap((state) => stateFinding(state, marks)),
    ],
    shapes,
    skipped: [
      ...all.flatMap(({ id, moving }) => (moving === null ? [] : [{ unit: id, reason: moving }])),
      ...unseen.flatMap(({ unit, reason, why }) => (why === 'moving' ? [{ unit: unit.id, reason }] : [])),
      ...seen.filter(isHalfMigrated).map(({ unit }) => ({ unit: unit.id, reason: HALF_MIGRATED })),
    ],
  };
}

const HALF_MIGRATED = 'a migration is begun on it and not ended, so it looks as no version does';

/** What a migration outside a transaction has made so far is neither extra nor missing. */
function isHalfMigrated({ ledger, version }: SeenUnit): boolean {
  return ledger.some(({ id, state }) => state === 'started' && id > (version?.id ?? 0));
}
