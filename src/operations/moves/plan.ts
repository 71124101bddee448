import { conflictError } from '../../core/errors.js';
import type { MoveMethod, MoveReport } from '../../core/move.js';
import { type TenantRecord, requireTenant } from '../../engine/catalog/tenants.js';
import type { Fleet } from '../../engine/context.js';
import { newestOf, readLedger } from '../../engine/ledger/entries.js';
import type { Home } from '../../engine/local/placements.js';
import { hiddenRows } from '../../engine/moves/preflight/hidden-rows.js';
import { tableOwners } from '../../engine/moves/preflight/table-owners.js';
import { type Side, inSide, tableOf } from '../../engine/rows/side.js';
import { type TenantTable, ownRows, readTables } from '../../engine/rows/tables.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { homeOf } from '../home.js';
import { kitFor } from '../kit.js';
import { inspectMove } from './inspect.js';
import type { MovePlan, PromoteRequest } from './move-plan.js';
import { planSteps, predictPause } from './plan-steps.js';

/**
 * What a move would do; nothing is changed.
 * @returns null when the tenant lives there already
 */
export async function planMove(fleet: Fleet, request: PromoteRequest): Promise<MovePlan | null> {
  const record = await fleet.catalog((connection) => requireTenant(connection, request.id));
  const home = homeOf(fleet, record);
  const target = await destination(fleet, record, home, request);
  if (samePlace(home.placement, target.placement)) return null;
  assertMovable(record);
  const [source, goal] = [sideOf('source', home), sideOf('target', target)];
  const unit = driverOf(record.tier).unit(record.id, home.placement);
  const { tenancy, moves } = fleet.settings;
  return inSide(fleet, source, 'plan', async (session) => {
    const version = newestOf(await readLedger(session, unit))?.id ?? null;
    const tables = await readTables(session, source, tenancy.column, source.shared || goal.shared);
    const here = { session, side: source, unit, tables };
    const unseen = [...(await tableOwners(here, tenancy.appRole)), ...(await hiddenRows(here))];
    const counts = unseen.length > 0 ? [] : await countRows(session, source, tables);
    const rows = counts.reduce((sum, table) => sum + table.rows, 0);
    const method = methodOf(fleet, request, home, target, rows);
    const { migrations } = await kitFor(fleet, {});
    const there = { side: goal, unit: driverOf(request.to).unit(record.id, target.placement) };
    const findings = unseen.length > 0 ? unseen : await inspectMove(fleet, here, there, method, migrations);
    const plan = {
      tenant: record.id,
      from: { ...home.placement, epoch: home.epoch },
      to: { ...target.placement, epoch: target.epoch },
      method,
      version,
      rows,
      tables: counts,
      predictedPauseMs: predictPause(method, rows, goal.shared, tables.length),
      maxPauseMs: request.maxPauseMs ?? moves.maxPauseMs,
      maxLagMs: moves.maxLagMs,
      graceMs: request.graceMs ?? moves.graceMs,
      findings,
    };
    return { ...plan, steps: planSteps(plan, fleet.settings) };
  });
}

/** Is this move on its way to where a request would go? */
export function sameDestination({ to }: MoveReport, request: PromoteRequest): boolean {
  return (
    to.tier === request.to &&
    (request.cluster === undefined || to.cluster === request.cluster) &&
    (request.pool === undefined || to.pool === request.pool)
  );
}

function sideOf(name: Side['name'], home: Home): Side {
  return { name, home, shared: driverOf(home.placement.tier).facts.sharesUnit };
}

/** Stays on its cluster unless told otherwise: there it may move without leaving its database. */
async function destination(
  fleet: Fleet,
  record: TenantRecord,
  home: Home,
  request: PromoteRequest,
): Promise<Home> {
  const driver = driverOf(request.to);
  const kit = await kitFor(fleet, {});
  const { cluster, pool } = await kit.choose({
    tier: request.to,
    inPool: driver.facts.sharesUnit,
    plan: null,
    cluster: request.cluster ?? (request.pool === undefined ? record.cluster : null),
    pool: request.pool ?? null,
  });
  const placement = driver.place(record.id, cluster, pool, fleet.settings.tenancy);
  return { ...home, placement, epoch: home.epoch + 1 };
}

function samePlace(one: Home['placement'], other: Home['placement']): boolean {
  return one.cluster === other.cluster && one.database === other.database && one.schema === other.schema;
}

function methodOf(
  { settings }: Fleet,
  { method = 'auto' }: PromoteRequest,
  { placement: from }: Home,
  { placement: to }: Home,
  rows: number,
): MoveMethod {
  const together = from.cluster === to.cluster && from.database === to.database;
  if (method === 'atomic' && !together) throw notTogether();
  if (method !== 'auto') return method;
  return together && rows < settings.moves.atomicBelow ? 'atomic' : 'online';
}

async function countRows(session: Connection, side: Side, tables: readonly TenantTable[]) {
  const counts: { table: string; rows: number }[] = [];
  for (const table of tables) {
    const row = await session.row<{ rows: number }>(
      sql`select count(*)::float8 as rows from ${tableOf(side, table.name)} x where ${ownRows(side, table, 'x')}`,
    );
    counts.push({ table: table.name, rows: row?.rows ?? 0 });
  }
  return counts;
}

function assertMovable({ id, status }: TenantRecord): void {
  if (status === 'active') return;
  throw conflictError('TENANT_STATUS', `Tenant ${id} is ${status}; only an active tenant is moved.`, {
    hint:
      status === 'suspended'
        ? `\`tenantctl activate ${id}\` opens it again.`
        : `\`tenantctl show ${id}\` says what it is doing.`,
    facts: { tenant: id, status },
  });
}

function notTogether() {
  return conflictError(
    'NOT_ONE_DATABASE',
    'The two homes are in different databases, so no one transaction holds both.',
    {
      hint: 'Leave --method out, or take online or offline.',
    },
  );
}
