import type { DeletedObject, ScopePlace } from '../../core/certificate.js';
import { conflictError, partialError, refusedError } from '../../core/errors.js';
import { standingHoldOf } from '../../engine/catalog/legal-holds.js';
import type { StoredOffboarding } from '../../engine/catalog/offboardings.js';
import { placementHistory, type TenantRecord, requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import {
  type Home,
  admissionUpdate,
  placementInsert,
  strayPlacement,
} from '../../engine/local/placements.js';
import { type Obstacle, findObstacles } from '../../engine/retention/obstacles.js';
import { ownPartitions } from '../../engine/retention/partitions.js';
import { waitForOldSessions } from '../../engine/retention/quiet.js';
import { asRefusal, permitPurge } from '../../engine/retention/permit.js';
import { ensureRescanRole, letRescanRead } from '../../engine/retention/rescan-role.js';
import { derivedViews, viewRows } from '../../engine/retention/views.js';
import { type Scope, type ScopedTable, readScope, scopedRows } from '../../engine/rows/scope.js';
import { type Side, inSide, tableOf } from '../../engine/rows/side.js';
import type { TierDriver } from '../../engine/tiers/driver.js';
import { admissionIfOurs, placeTaken, strayHome } from '../../engine/tiers/place-taken.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { homeOf } from '../home.js';
import { limitsOf } from '../provision-plan.js';
import { carryHolds, onHold } from './hold.js';

/** A tenant whose deletion is at work. */
export interface Departure {
  offboarding: StoredOffboarding;
  record: TenantRecord;
  home: Home;
  driver: TierDriver;
  side: Side;
  /** Homes that it has left. */
  former: Pick<ScopePlace, 'cluster' | 'database' | 'schema'>[];
}

/** What stands in a home that is to be deleted. */
export interface Survey {
  objects: DeletedObject[];
  /** Tables and schemas in which rows with the tenant's key are expected, with how many there are. */
  expected: Map<string, number>;
}

const PATIENCE_MS = 10_000;

/**
 * Opens a deletion: may it begin, or go on?
 * @throws conflict `TENANT_ON_HOLD`, `TENANT_STATUS` or `EXPORT_MISSING` (exit 5)
 */
export async function openDeparture(fleet: Fleet, offboarding: StoredOffboarding): Promise<Departure> {
  const { tenant } = offboarding;
  const { record, hold, history } = await fleet.catalog(async (connection) => ({
    record: await requireTenant(connection, tenant),
    hold: await standingHoldOf(connection, tenant),
    history: await placementHistory(connection, tenant),
  }));
  if (hold !== undefined) throw onHold(hold);
  if (record.status !== 'offboarding') throw notOffboarding(record);
  if (offboarding.wantsExport && offboarding.export === null) throw exportMissing(tenant);
  const home = homeOf(record, limitsOf(fleet.settings, record.plan));
  const driver = driverOf(record.tier);
  const side: Side = { name: 'target', home, shared: driver.facts.sharesUnit };
  const former = history.filter(({ until }) => until !== null) as unknown as Departure['former'];
  return { offboarding, record, home, driver, side, former };
}

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
        survey.objects.push(notYetDeleted(side, view, 'materialised view', null, 'filled again'));
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

/**
 * Is there anything to delete? What bears the name of the home, and is not this tenant's by its local placement, is left alone.
 * @throws conflict `PLACE_TAKEN` (exit 5)
 */
export async function isHomeThere(fleet: Fleet, departure: Departure): Promise<boolean> {
  const { driver, home, side, offboarding } = departure;
  const found = await driver.inspect(fleet, home);
  if (found.state === 'foreign' && side.shared && offboarding.state === 'purging')
    return placeAgain(fleet, departure);
  return admissionIfOurs(home, found) !== undefined;
}

/** Its placement goes with its last row; rows that came afterwards are its own, and go as the others did. */
async function placeAgain(fleet: Fleet, { driver, home }: Departure): Promise<boolean> {
  const { cluster, database } = home.placement;
  await fleet.managed(cluster, database, async (session) => {
    const stray = await strayPlacement(session, home);
    if (stray !== undefined) throw placeTaken(home, strayHome(home, stray));
    const { ledgerKey } = driver.unit(home.tenant.id, home.placement);
    await session.atomically([placementInsert(home, ledgerKey), admissionUpdate(home, 'offboarding')]);
  });
  await carryHolds(fleet, home);
  return true;
}

async function surveyTables(session: Connection, departure: Departure, scope: Scope): Promise<Survey> {
  const { side, driver } = departure;
  const deleted = (
    object: string,
    kind: DeletedObject['kind'],
    rowsBefore: number | null,
    action: DeletedObject['action'],
  ): DeletedObject => notYetDeleted(side, object, kind, rowsBefore, action);
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
    objects.push(deleted(table.name, 'table', rows, drops === 'rows' ? 'rows deleted' : 'dropped'));
  }
  if (drops === 'rows') {
    for (const { partition, rows } of await ownPartitions(session, side, scope.tables))
      objects.push(deleted(partition, 'partition', rows, 'dropped'));
    return { objects, expected };
  }
  const lobs = await ownLargeObjects(session, placement.role);
  if (lobs > 0) objects.push(deleted(`owned by ${placement.role}`, 'large objects', lobs, 'dropped'));
  // One that names tables of several schemas, or all of them, outlives each schema.
  if (drops === 'database')
    for (const name of await publications(session))
      objects.push(deleted(name, 'publication', null, 'dropped'));
  objects.push(deleted(placement.schema, 'schema', null, 'dropped'));
  if (drops === 'database') objects.push(deleted(placement.database, 'database', null, 'dropped'));
  objects.push(deleted(placement.role, 'role', null, 'dropped'));
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

function notOffboarding({ id, status }: TenantRecord) {
  return conflictError(
    'TENANT_STATUS',
    `Tenant ${id} is ${status}, not offboarding; nothing of it is deleted.`,
    {
      hint: `\`tenantctl show ${id}\` says what it is.`,
      facts: { tenant: id, status },
    },
  );
}

function exportMissing(id: string) {
  return conflictError('EXPORT_MISSING', `Tenant ${id} was to be exported before its deletion, and is not.`, {
    hint: `\`tenantctl offboard ${id}\` again finishes that.`,
    facts: { tenant: id },
  });
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
