import type { MigrationUnit } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import { driverOf } from '../../engine/tiers/registry.js';
import type { AdoptRequest, AdoptRow } from './request.js';

/** A tenant of the list, in its unit. */
export interface ListedTenant {
  /** Where it stands in the list. */
  line: number;
  id: string;
  key: string | null;
  plan: string | null;
  owner: string | null;
  labels: Record<string, string>;
}

/** A unit of the list with its tenants. */
export interface ListedUnit {
  unit: MigrationUnit;
  pool: string | null;
  tenants: ListedTenant[];
  role: string | null;
  version: string | null;
  ledger: { schema: string; table: string } | null;
  /** Is it a whole database, so that whatever ledger is in it speaks of it? */
  whole: boolean;
}

export interface RowProblem {
  line: number;
  id: string | null;
  message: string;
}

/** Gathers the rows of a list into units. Rows that no unit can be made of are told by their line. */
export async function gather(
  fleet: Fleet,
  rows: AsyncIterable<AdoptRow>,
): Promise<{ listed: ListedUnit[]; problems: RowProblem[] }> {
  const units = new Map<string, ListedUnit>();
  const problems: RowProblem[] = [];
  for await (const row of rows) {
    if (fleet.signal.aborted) break;
    if ('problem' in row) {
      problems.push({ line: row.line, id: row.id ?? null, message: row.problem });
      continue;
    }
    const problem = add(fleet, units, row.request, row.line);
    if (problem !== null) problems.push({ line: row.line, id: row.request.id, message: problem });
  }
  return { listed: [...units.values()], problems };
}

/** @returns why the row cannot be, or null */
function add(
  fleet: Fleet,
  units: Map<string, ListedUnit>,
  request: AdoptRequest,
  line: number,
): string | null {
  const { tier, cluster, database, schema } = request;
  const { sharesUnit } = driverOf(tier).facts;
  const pool = sharesUnit ? poolAt(fleet, request) : null;
  if (sharesUnit && pool === null)
    return `the configuration names no pool in schema ${schema} of database ${database}: add clusters.${cluster}.pools.<name> with database, schema and rls: observe`;
  const listed = units.get(keyOf(request, pool)) ?? newUnit(request, pool);
  units.set(keyOf(request, pool), listed);
  listed.tenants.push(tenantOf(request, line));
  return null;
}

function keyOf({ id, tier, cluster, database, schema }: AdoptRequest, pool: string | null): string {
  return pool === null ? JSON.stringify([tier, id, cluster, database, schema]) : `pool ${pool}`;
}

function poolAt(fleet: Fleet, { cluster, database, schema }: AdoptRequest): string | null {
  const pools = Object.values(fleet.settings.clusters[cluster]?.pools ?? {});
  return pools.find((pool) => pool.database === database && pool.schema === schema)?.name ?? null;
}

function newUnit(request: AdoptRequest, pool: string | null): ListedUnit {
  const { id, tier, cluster, database, schema, role, version } = request;
  const driver = driverOf(tier);
  return {
    unit: driver.unit(id, { tier, cluster, database, schema, pool, role: role ?? '' }),
    pool,
    tenants: [],
    role,
    version,
    ledger: ledgerAt(request),
    whole: driver.facts.drops === 'database',
  };
}

/** `schema.table`; a bare table is in the unit's own schema. */
function ledgerAt({ ledger, schema }: AdoptRequest): ListedUnit['ledger'] {
  if (ledger === null) return null;
  const dot = ledger.lastIndexOf('.');
  return dot < 0 ? { schema, table: ledger } : { schema: ledger.slice(0, dot), table: ledger.slice(dot + 1) };
}

function tenantOf({ id, key, plan, owner, labels }: AdoptRequest, line: number): ListedTenant {
  return { line, id, key, plan, owner, labels };
}
