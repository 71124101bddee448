import { parseTenantId } from '../core/tenant.js';
import { requireTenant } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import type { Home } from '../engine/local/placements.js';
import { driverOf } from '../engine/tiers/registry.js';
import { isDatabaseError } from '../pg/errors.js';
import { raw, sql } from '../pg/sql.js';
import { homeOf } from './home.js';

/** What an application gets to a statement: rows, or the server's refusal. */
export type Answer = { rows: Record<string, unknown>[] } | { refused: { sqlstate: string; message: string } };

/** Runs a statement of the operator's in a tenant's own session, as its application would. */
export async function askTenant(fleet: Fleet, id: string, statement: string): Promise<Answer> {
  const home = await findHome(fleet, id);
  const { open } = driverOf(home.placement.tier);
  return answered(open(fleet, home, (session) => session.rows(raw(statement))));
}

/**
 * The same by an application that has forgotten to say for which tenant it works: the role and the
 * tables of this tenant's home, without its key.
 */
export async function askWithoutTenant(fleet: Fleet, id: string, statement: string): Promise<Answer> {
  const { cluster, database, schema, role } = (await findHome(fleet, id)).placement;
  const rows = fleet.managed(cluster, database, (session) =>
    session.transaction(async () => {
      await session.rows(sql`
        select set_config('search_path', quote_ident(${schema}), true), set_config('role', ${role}, true)`);
      return session.rows(raw(statement));
    }),
  );
  return answered(rows);
}

async function findHome(fleet: Fleet, id: string): Promise<Home> {
  parseTenantId(id);
  const record = await fleet.catalog((connection) => requireTenant(connection, id));
  return homeOf(fleet, record);
}

async function answered(rows: Promise<Record<string, unknown>[]>): Promise<Answer> {
  try {
    return { rows: await rows };
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return { refused: { sqlstate: error.code, message: error.message } };
  }
}
