import type { LocalServer } from '../../../src/embedded/server.js';
import { query } from '../../support/server.js';
import { type IsolatedFleet, isolatedFleet } from '../check/isolated-fleet.js';

let fleets = 0;

/** A fleet with tenants in all tiers; fleets of one file do not meet. */
export function madeByUs(server: LocalServer): Promise<IsolatedFleet> {
  fleets += 1;
  const names = { schema: `t${fleets}_{id}`, database: `d${fleets}_{id}` };
  return isolatedFleet(server, { tenancy: { names, appRole: `app_of_${fleets}` } });
}

/** Everything in the databases of a fleet that bears our name, by what it is. */
export async function leftovers(server: LocalServer, made: IsolatedFleet): Promise<string[]> {
  const found: string[] = [];
  const corp = made.settings.tenancy.names.database.replace('{id}', 'corp');
  for (const database of [made.databaseOf('pool'), corp])
    found.push(
      ...(
        await query<{ what: string }>(
          server.superuserUrl(database),
          `select 'schema ' || nspname as what from pg_namespace where nspname like 'tenantctl%'
           union all select 'comment ' || description from pg_description where description like 'tenantctl: %'
           union all select 'expression ' || polname from pg_policy where pg_get_expr(polqual, polrelid) like '%placement%'
           union all select 'trigger ' || tgname from pg_trigger where tgname like 'tenantctl%'
           union all select 'role ' || description from pg_shdescription where description like 'tenantctl: tenant%'
             and objoid in (select oid from pg_roles where rolname ~ '^[td]${fleets}_')`,
        )
      ).map(({ what }) => what),
    );
  return found;
}
