import type { FleetSettings } from '../../../core/settings.js';
import { tenantKey } from '../../../core/tenant-key.js';
import { isTier, type Tier, TIERS } from '../../../core/tier.js';
import type { AdoptRequest } from '../request.js';
import type { ListCells } from './columns.js';
import { placeIn } from './place.js';
import { RowProblem } from './row-problem.js';

/**
 * What a row says of its tenant, checked against the configuration; its id and labels are another matter.
 * @throws RowProblem, or usage error `TENANT_KEY_INVALID`
 */
export function listedTenant(cells: ListCells, settings: FleetSettings): Omit<AdoptRequest, 'id' | 'labels'> {
  const text = (column: string) => cells.get(column) ?? null;
  const tier = tierOf(cells, settings);
  return {
    tier,
    ...placeIn(tier, cells, settings),
    key: keyOf(tier, cells, settings),
    plan: text('plan'),
    owner: text('owner'),
    role: text('role'),
    version: text('version'),
    ledger: text('ledger'),
  };
}

/** The tier that the row names, or its plan does; the two must not contradict. */
function tierOf(cells: ListCells, { plans }: FleetSettings): Tier {
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

/** Can the rows of a tenant of this tier be told by nothing else? */
const KEY_NEEDED: Record<Tier, boolean> = { pool: true, schema: false, database: false };

function keyOf(tier: Tier, cells: ListCells, { tenancy }: FleetSettings): string | null {
  const given = cells.get('tenantKey');
  if (given !== undefined) return tenantKey(given, tenancy.columnType, cells.get('id') ?? '');
  if (KEY_NEEDED[tier]) throw new RowProblem("it has no tenantKey: which rows of the pool are the tenant's?");
  return null;
}
