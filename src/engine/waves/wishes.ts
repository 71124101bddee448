import { type TenantctlError, conflictError, isTenantctlError } from '../../core/errors.js';
import type { UnitVersion } from '../../core/unit.js';
import type { UnitRecord } from '../catalog/units.js';
import { type LedgerEntry, pendingOf } from '../ledger/entries.js';
import { type Migration, migrationsFor } from '../ledger/migration.js';
import type { WayBack } from '../ledger/way-back.js';
import { type Wish, versionOf } from './survey.js';

const NOTHING = { pending: [], goal: null, skip: null, fault: null };

/** Why a unit is left out of a run until its tenant has arrived. */
const MOVING = 'a tenant of it is being moved';

/** The same, with the move that holds the unit where that is known. */
export function whyMoving(move: string | null): string {
  return move === null ? MOVING : `${MOVING}: ${move}`;
}

/** Was a unit left out for that? */
export function isMoving(reason: string | null): boolean {
  return reason?.startsWith(MOVING) === true;
}

/** Every migration of the unit's tier up to `upTo`, or to where it is pinned. */
export function wantMigrations(all: readonly Migration[], upTo: number): Wish {
  const known = new Map<string, Wanted>();
  const histories = new Map<readonly LedgerEntry[], number>();
  return (unit, ledger) => {
    // Thousands of units share a few histories.
    const history = histories.get(ledger) ?? histories.size;
    histories.set(ledger, history);
    const key = `${unit.tier} ${unit.pinnedTo} ${history}`;
    try {
      const wanted = known.get(key) ?? wantedOf(unit, ledger, migrationsFor(all, unit.tier), upTo);
      known.set(key, wanted);
      const { pending, goal, held } = wanted;
      return { ...NOTHING, pending, goal, skip: skipReason(unit, pending.length > 0, held) };
    } catch (error) {
      if (isTenantctlError(error) && error.code === 'UNIT_AHEAD') return { ...NOTHING, fault: error };
      throw error;
    }
  };
}

interface Wanted {
  pending: Migration[];
  goal: UnitVersion | null;
  /** Does it lack files that it would get if it were not pinned? */
  held: boolean;
}

function wantedOf(
  unit: UnitRecord,
  ledger: readonly LedgerEntry[],
  ofTier: readonly Migration[],
  upTo: number,
): Wanted {
  const lacking = pendingOf(unit, ofTier, ledger).filter(({ id }) => id <= upTo);
  const pending = lacking.filter(({ id }) => unit.pinnedTo === null || id <= unit.pinnedTo);
  return { pending, goal: goalOf(ledger, pending), held: pending.length < lacking.length };
}

function goalOf(ledger: readonly LedgerEntry[], pending: readonly Migration[]): UnitVersion | null {
  const newest = pending.at(-1);
  const version = versionOf(ledger);
  if (newest === undefined || (version !== null && version.id > newest.id)) return version;
  return { id: newest.id, name: newest.name };
}

function skipReason(unit: UnitRecord, pending: boolean, held: boolean): string | null {
  if (pending && unit.moving !== null) return whyMoving(unit.moving);
  if (!pending && held) return `pinned at migration ${unit.pinnedTo}`;
  return null;
}

/**
 * The ways back over the entries of a unit that `taken` names, which must be its newest.
 * @param ways the way back of every migration that any unit gives up
 */
export function wantBack(ways: readonly WayBack[], taken: (entry: LedgerEntry) => boolean): Wish {
  const byId = new Map(ways.map((way) => [way.migration.id, way.down]));
  return (unit, ledger) => {
    const entries = ledger.filter(taken);
    if (entries.length === 0) return NOTHING;
    const oldest = Math.min(...entries.map(({ id }) => id));
    const inTheWay = ledger.filter((entry) => entry.id > oldest && !taken(entry));
    if (inTheWay.length > 0) return { ...NOTHING, fault: builtUpon(unit, inTheWay) };
    const pending = entries.toReversed().flatMap(({ id }) => byId.get(id) ?? []);
    if (pending.length < entries.length) return { ...NOTHING, fault: noFile(unit, entries, byId) };
    const goal = versionOf(ledger.filter(({ id }) => id < oldest));
    return { ...NOTHING, pending, goal, skip: unit.moving === null ? null : whyMoving(unit.moving) };
  };
}

function builtUpon(unit: UnitRecord, entries: readonly LedgerEntry[]): TenantctlError {
  const names = entries.map(({ name }) => name).join(', ');
  return conflictError('BUILT_UPON', `${unit.id} has later migrations that another run applied: ${names}.`, {
    hint: 'Take those back first, or go back to a version with `tenantctl rollback --to <migration>`.',
    facts: { unit: unit.id, migrations: entries.map(({ name }) => name) },
  });
}

function noFile(unit: UnitRecord, entries: readonly LedgerEntry[], files: ReadonlyMap<number, unknown>) {
  const missing = entries.filter(({ id }) => !files.has(id)).map(({ name }) => name);
  return conflictError(
    'UNIT_AHEAD',
    `${unit.id} has migrations for which there are no files here: ${missing.join(', ')}.`,
    {
      hint: 'This checkout is older than the fleet: update it, or check migrations.directory.',
      facts: { unit: unit.id, migrations: missing },
    },
  );
}
