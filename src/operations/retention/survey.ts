import type { DeletedObject } from '../../core/certificate.js';
import { partialError, refusedError } from '../../core/errors.js';
import type { Fleet } from '../../engine/context.js';
import { type Obstacle, findObstacles } from '../../engine/retention/obstacles.js';
import { ownPartitions } from '../../engine/retention/partitions.js';
import { asRefusal, permitPurge } from '../../engine/retention/permit.js';
import { waitForOldSessions } from '../../engine/retention/quiet.js';
import { isTenantsOwn } from '../../engine/local/role-mark.js';
import { ensureRescanRole, letRescanRead } from '../../engine/retention/rescan-role.js';
import { derivedViews, viewRows } from '../../engine/retention/views.js';
import { type Scope, type ScopedTable, readScope, scopedRows } from '../../engine/rows/scope.js';
import { type Side, inSide, tableOf } from '../../engine/rows/side.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { type Departure, isHomeThere } from './departure.js';

/** What stands in a home that is to be deleted. */
export interface Survey {
  objects: DeletedObject[];
  /** Tables and schemas in which rows with the tenant's key are expected, with how many there are. */
  expected: Map<string, number>;
}

const PATIENCE_MS = 10_000;

/**
 * Looks at everything a home holds, once nobody can be writing to it any more. Changes nothing but the rights of the
 * role that looks again.
 * @throws partial error `OLD_SESSIONS` (exit 7) · refusal `PURGE_OBSTACLES` (exit 6), each with its remedy
 */
export async function surveyHome(fleet: Fleet, departure: Departure): Promise<Survey> {
  const { side, driver, offboarding } = departure;
  if (!(await isHomeThere(fleet, departure))) return nothingThere(departure);
  return inSide(fleet, side, offboarding.offboarding, async (session) => {
    // Once it is called begun there is no way back, so what every deletion asks is asked before.
    await session.rows(permitPurge(side.home, offboarding.dueAt)).catch((error: unknown) => {
      throw asRefusal(error, offboarding.tenant);
    });
    const old = await waitForOldSessions(session, PATIENCE_MS, fleet.signal);
    if (old.length > 0) throw oldSessions(departure, old);
    const { column, shared } = fleet.settings.tenancy;
    const scope = await readScope(session, side, column, shared);
    await prepareDeletion(session, departure, scope);
    const survey = await surveyTables(session, departure, scope);
    const views = side.shared ? await derivedViews(session, side, scope.tables) : [];
    for (const { name, rows } of await viewRows(session, side, column, views))
      survey.expected.set(name, rows);
    if (driver.facts.drops === 'rows')
      for (const { view } of views)
        survey.objects.push(notYetDeleted(side, view, 'materialized view', null, 'filled again'));
    return survey;
  });
}

/**
 * Makes sure that everything can be deleted, and nothing of others with it, and that a second role will see it. Also when
 * a deletion goes on: a migration may have come.
 * @throws refusal `PURGE_OBSTACLES` (exit 6)
 */
export async function prepareDeletion(
  session: Connection,
  departure: Departure,
  scope: Scope,
): Promise<void> {
  const { side, driver } = departure;
  const obstacles = await findObstacles(session, side, scope, driver.facts.drops);
  if (obstacles.length > 0) throw hasObstacles(departure, obstacles);
  await ensureRescanRole(session);
  if (side.shared) await letRescanRead(session, side, scope.tables);
}

/** Somebody has deleted the home by hand; the look over the clusters says whether anything is left. */
function nothingThere({ side, driver }: Departure): Survey {
  const { schema, database } = side.home.placement;
  const whole = driver.facts.drops === 'database';
  const object = notYetDeleted(
    side,
    whole ? database : schema,
    whole ? 'database' : 'schema',
    null,
    'found gone',
  );
  return { objects: [object], expected: new Map() };
}

async function surveyTables(session: Connection, departure: Departure, scope: Scope): Promise<Survey> {
  const { side, driver } = departure;
  const { drops } = driver.facts;
  const { placement } = side.home;
  const tables: ScopedTable[] =
    drops === 'rows'
      ? scope.tables
      : [...scope.tables, ...scope.shared.map((table) => ({ ...table, through: null }))];
  const expected = new Map([['tenantctl.placement', 1]]);
  const objects: DeletedObject[] = [];
  for (const table of tables) {
    const rows = await countRows(session, side, table);
    if (table.tenantColumn !== null) expected.set(`${placement.schema}.${table.name}`, rows);
    objects.push(
      notYetDeleted(side, table.name, 'table', rows, drops === 'rows' ? 'rows deleted' : 'dropped'),
    );
  }
  if (drops === 'rows') {
    for (const { partition, rows } of await ownPartitions(session, side, scope.tables))
      objects.push(notYetDeleted(side, partition, 'partition', rows, 'dropped'));
    return { objects, expected };
  }
  // A role that was there before us stays, and so does what it owns elsewhere.
  const own = await isTenantsOwn(session, side.home);
  const lobs = own || drops === 'database' ? await ownLargeObjects(session, placement.role) : 0;
  if (lobs > 0)
    objects.push(notYetDeleted(side, `owned by ${placement.role}`, 'large objects', lobs, 'dropped'));
  // One that names tables of several schemas, or all of them, outlives each schema.
  if (drops === 'database')
    for (const name of await publications(session))
      objects.push(notYetDeleted(side, name, 'publication', null, 'dropped'));
  objects.push(notYetDeleted(side, placement.schema, 'schema', null, 'dropped'));
  if (drops === 'database')
    objects.push(notYetDeleted(side, placement.database, 'database', null, 'dropped'));
  if (own) objects.push(notYetDeleted(side, placement.role, 'role', null, 'dropped'));
  return { objects, expected };
}

function notYetDeleted(
  { home: { placement } }: Side,
  object: string,
  kind: DeletedObject['kind'],
  rowsBefore: number | null,
  action: DeletedObject['action'],
): DeletedObject {
  const place = `${placement.cluster}/${placement.database}`;
  const nothingYet = { rowsAfter: null, batches: null, firstTxid: null, lastTxid: null, lsn: null };
  return { place, object, kind, rowsBefore, action, ...nothingYet };
}

async function countRows(session: Connection, side: Side, table: ScopedTable): Promise<number> {
  const row = await session.row<{ rows: number }>(
    sql`select count(*)::float8 as rows from ${tableOf(side, table.name)} x where ${scopedRows(side, table, 'x')}`,
  );
  return row?.rows ?? 0;
}

async function ownLargeObjects(session: Connection, role: string): Promise<number> {
  const row = await session.row<{ n: number }>(sql`
    select count(*)::float8 as n from pg_largeobject_metadata m join pg_roles r on r.oid = m.lomowner where r.rolname = ${role}`);
  return row?.n ?? 0;
}

async function publications(session: Connection): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    sql`select pubname::text as name from pg_publication order by 1`,
  );
  return rows.map(({ name }) => name);
}

function oldSessions(
  { home: { tenant, placement } }: Departure,
  sessions: readonly { pid: number; user: string; application: string }[],
) {
  const named = sessions.map(
    ({ pid, user, application }) => `pid ${pid} (${user}, ${application || 'no name'})`,
  );
  return partialError(
    'OLD_SESSIONS',
    `Sessions in database ${placement.database} are in transactions from before now, and may still write rows of tenant ${tenant.id}: ${named.slice(0, 5).join(', ')}.`,
    {
      hint: 'Nothing was deleted. End them, or wait for them, and run the same command again.',
      facts: { tenant: tenant.id, sessions },
    },
  );
}

function hasObstacles({ home: { tenant } }: Departure, obstacles: readonly Obstacle[]) {
  const lines = obstacles.map(({ where, problem, remedy }) => `  ${where}: ${problem}\n    ${remedy}`);
  return refusedError(
    'PURGE_OBSTACLES',
    [`Nothing of tenant ${tenant.id} is deleted, because it could not be deleted whole:`, ...lines].join(
      '\n',
    ),
    {
      hint: 'Do what stands below each, and run the same command again.',
      facts: { tenant: tenant.id, obstacles },
    },
  );
}
