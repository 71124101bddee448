import { isTenantctlError } from '../../core/errors.js';
import type { FleetSettings } from '../../core/settings.js';
import { parseTenantId } from '../../core/tenant.js';
import { tenantKey } from '../../core/tenant-key.js';
import { isTier, type Tier, TIERS } from '../../core/tier.js';
import { LIST_COLUMNS } from '../../operations/adopt/list-columns.js';
import type { AdoptRequest, AdoptRow } from '../../operations/adopt/request.js';
import type { Io } from '../io.js';
import { placeIn } from './adopt-place.js';
import { type Cells, filledCells, labelsOf } from './columns.js';
import { readRows } from './read.js';
import { Repeats } from './repeats.js';
import { RowProblem } from './row-problem.js';

/**
 * The tenants of a list for `adopt`, each checked against the configuration. A row that is wrong, or that repeats an earlier
 * one, is a problem with its line, and the next one is read.
 * @throws usage error `ROWS_UNREADABLE` or `ROWS_HEADER` (exit 2) when no row can be read at all
 */
export async function* readAdoptRows(
  from: string,
  io: Io,
  settings: FleetSettings,
): AsyncGenerator<AdoptRow> {
  const repeats = new Repeats();
  for await (const row of readRows(from, io, LIST_COLUMNS)) {
    yield 'problem' in row ? row : repeats.refuse(toAdoptRow(row.line, filledCells(row.cells), settings));
  }
}

function toAdoptRow(line: number, cells: Cells, settings: FleetSettings): AdoptRow {
  const id = cells.get('id');
  try {
    return { line, request: toRequest(cells, settings) };
  } catch (error) {
    if (!(error instanceof RowProblem) && !isTenantctlError(error)) throw error;
    return { line, problem: error.message.replace(/\.$/, ''), ...(id === undefined ? {} : { id }) };
  }
}

function toRequest(cells: Cells, settings: FleetSettings): AdoptRequest {
  const text = (column: string) => cells.get(column) ?? null;
  const id = text('id');
  if (id === null) throw new RowProblem('it has no id');
  parseTenantId(id);
  const tier = tierOf(cells, settings);
  return {
    id,
    tier,
    ...placeIn(tier, cells, settings),
    key: keyOf(id, tier, cells, settings),
    plan: text('plan'),
    owner: text('owner'),
    labels: labelsOf(cells),
    role: text('role'),
    version: text('version'),
    ledger: text('ledger'),
  };
}

/** The tier that the row names, or its plan does; the two must not contradict. */
function tierOf(cells: Cells, { plans }: FleetSettings): Tier {
  const [tier, name] = [cells.get('tier'), cells.get('plan')];
  if (tier !== undefined && !isTier(tier))
    throw new RowProblem(`tier ${JSON.stringify(tier)} is not one of ${TIERS.join(', ')}`);
  if (name === undefined) {
    if (tier === undefined) throw new RowProblem('it names neither tier nor plan');
    return tier;
  }
  const plan = Object.hasOwn(plans, name) ? plans[name] : undefined;
  if (plan === undefined) throw new RowProblem(`the configuration has no plan ${JSON.stringify(name)}`);
  if (tier !== undefined && tier !== plan.tier)
    throw new RowProblem(`plan ${name} is of tier ${plan.tier}, not ${tier}`);
  return plan.tier;
}

/** Can a tenant of this tier do without a key that is known beforehand? */
const KEY_NEEDED: Record<Tier, boolean> = { pool: true, schema: false, database: false };

function keyOf(id: string, tier: Tier, cells: Cells, { tenancy }: FleetSettings): string | null {
  const given = cells.get('tenantKey');
  if (given !== undefined) return tenantKey(given, tenancy.columnType, id);
  if (KEY_NEEDED[tier]) throw new RowProblem(`it has no tenantKey: which rows of the pool are the tenant's?`);
  return null;
}
