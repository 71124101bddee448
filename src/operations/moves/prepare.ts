import { conflictError, refusedError } from '../../core/errors.js';
import { installGuards } from '../../engine/moves/guards.js';
import { inSide } from '../../engine/rows/side.js';
import { placementOf } from '../../engine/local/placements.js';
import type { MoveFinding } from '../../engine/moves/preflight/finding.js';
import { hiddenRows } from '../../engine/moves/preflight/hidden-rows.js';
import { homeOpen } from '../../engine/moves/while-shut.js';
import { compareSums } from '../../engine/moves/verify.js';
import { sumTables } from '../../engine/rows/sums.js';
import { type TenantTable, readTables } from '../../engine/rows/tables.js';
import type { Connection } from '../../pg/connection.js';
import { tryWithLock } from '../../pg/locks.js';
import { pause } from '../../core/pause.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Drive, End } from './drive.js';
import { placeOf } from './intent.js';
import { alikeTables } from './stream.js';
import { migrationsUpTo, plannedVersion, versionAt } from './version.js';

/**
 * Makes both homes ready: neither unit is migrated any more, the new home exists at the version of the old one, and
 * every write of the tenant is marked.
 */
export async function prepareHomes(drive: Drive): Promise<void> {
  const { fleet, source, target } = drive;
  await holdUnit(drive, source);
  fleet.reach('move.source-held');
  drive.say(`makes the new home: ${placeOf(drive.move.to)}`);
  const admission = await target.driver.create(fleet, target.home, await migrationsUpTo(drive));
  if (admission !== 'making') throw homeOpen(target.home);
  fleet.reach('move.target-made');
  await holdUnit(drive, target);
  fleet.reach('move.target-held');
  const tables = await compareHomes(drive);
  drive.say(`marks every write of the tenant from now on, in ${tables.length} tables`);
  await inSide(fleet, source.side, drive.id, (session) =>
    installGuards(session, source.side, drive.id, tables),
  );
  fleet.reach('move.guarded');
  await drive.step('prepared');
  fleet.reach('move.prepared');
}

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * From here on the unit is not migrated: a migration reads the placement's status under the unit's lock. One that is
 * under way is waited for.
 * @throws conflict `UNIT_BUSY` (exit 5) when it takes longer than ten seconds · `VERSION_MOVED` when the unit has
 *   another version than planned
 */
function holdUnit(drive: Drive, end: End): Promise<void> {
  return betweenMigrations(drive, end, (session) => hold(drive, end, session));
}

/**
 * Does something in a unit while it is not migrated. A migration that is under way is waited for.
 * @throws conflict `UNIT_BUSY` (exit 5) when it takes longer than ten seconds
 */
export async function betweenMigrations(
  drive: Drive,
  end: End,
  work: (session: Connection) => Promise<void>,
): Promise<void> {
  const { fleet } = drive;
  const { cluster, database } = end.home.placement;
  await fleet.managed(cluster, database, async (session) => {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const held = await tryWithLock(session, 'unit', end.unit.ledgerKey, () => work(session));
      if (held !== undefined) return;
      if (performance.now() > until || fleet.signal.aborted) throw unitBusy(drive, end);
      await pause(LOOK_EVERY_MS, fleet.signal);
    }
  });
}

async function hold(drive: Drive, end: End, session: Connection): Promise<void> {
  const found = await versionAt(drive, end, session);
  const planned = await plannedVersion(drive);
  if (found !== planned) throw versionMoved(drive, end, found, planned);
  await session.atomically([
    localMove(drive, end),
    sql`update tenantctl.placement set status = 'moving', state = case state when 'active' then 'moving' else state end,
      changed_at = now() where ${placementOf(end.home)} and state in ('active', 'moving', 'making')`,
  ]);
}

/** The statement that names this process at one home as the one that may decide. */
export function localMove({ id, driver, move }: Drive, { side }: End): Sql {
  return sql`
    insert into tenantctl.move (move, tenant, schema, side, driver)
    values (${id}, ${move.tenant}, ${side.home.placement.schema}, ${side.name}, ${driver})
    on conflict (move, side) do update set driver = excluded.driver`;
}

/**
 * Are the tables that are moved alike, and those that are not moved the same row by row?
 * @returns the tables of the old home
 * @throws refusal `HOMES_DIFFER`, `ROWS_HIDDEN` or `REFERENCES_DIFFER` (exit 6)
 */
async function compareHomes(drive: Drive): Promise<TenantTable[]> {
  const { fleet, source, target, id } = drive;
  const { column } = fleet.settings.tenancy;
  return inSide(fleet, source.side, id, (here) =>
    inSide(fleet, target.side, id, async (there) => {
      const [moved, twins] = await alikeTables(drive, source, target, here, there);
      assertSeen(await hiddenRows({ session: here, side: source.side }));
      assertSeen(await hiddenRows({ session: there, side: target.side }));
      const left = await leftTables(here, source, moved, column);
      const theirs = await leftTables(there, target, twins, column);
      try {
        compareSums(await sumTables(here, source.side, left), await sumTables(there, target.side, theirs));
      } catch (error) {
        throw referencesDiffer(error);
      }
      return moved;
    }),
  );
}

/** @throws refusal `ROWS_HIDDEN` (exit 6) */
function assertSeen([finding, ...more]: MoveFinding[]): void {
  if (finding === undefined) return;
  const { message, hint, where } = finding;
  throw refusedError('ROWS_HIDDEN', message, {
    hint: `With a migration for this tier: ${hint}`,
    facts: { tables: [where, ...more.map((other) => other.where)] },
  });
}

async function leftTables(
  session: Connection,
  { side }: End,
  moved: readonly TenantTable[],
  column: string,
): Promise<TenantTable[]> {
  const names = new Set(moved.map(({ name }) => name));
  return (await readTables(session, side, column, false)).filter(({ name }) => !names.has(name));
}

function referencesDiffer(cause: unknown) {
  const message = cause instanceof Error ? cause.message : String(cause);
  return refusedError(
    'REFERENCES_DIFFER',
    `A table that is not moved must hold the same rows in both homes. ${message}`,
    {
      hint: 'Correct the reference data with a migration, so that every home has it, and plan the move again.',
      cause,
    },
  );
}

function unitBusy({ move }: Drive, { unit }: End) {
  return conflictError(
    'UNIT_BUSY',
    `${unit.id} is being migrated, so the move of tenant ${move.tenant} does not touch it.`,
    {
      hint: '`tenantctl runs watch` follows the run; repeat this when it has passed that unit.',
      facts: { unit: unit.id, tenant: move.tenant },
    },
  );
}

function versionMoved({ move }: Drive, { unit }: End, found: number, planned: number) {
  return conflictError(
    'VERSION_MOVED',
    `${unit.id} is at migration ${found}, the move was planned at ${planned}.`,
    {
      hint: `Nothing was copied. Abort the move and plan it again: \`tenantctl moves abort\`, \`tenantctl promote ${move.tenant}\`.`,
      facts: { unit: unit.id, found, planned },
    },
  );
}
