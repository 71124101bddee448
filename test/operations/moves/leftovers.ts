import type { LocalServer } from '../../../src/embedded/server.js';
import { query } from '../../support/server.js';
import type { MovingFleet } from './fleet.js';

/** What moves of a tenant have left anywhere on a server beside the one home that it lives in. */
export async function leftovers(
  server: LocalServer,
  fleet: Pick<MovingFleet, 'show'>,
  id: string,
): Promise<string[]> {
  const home = await fleet.show(id);
  const databases = await names(
    server.superuserUrl('postgres'),
    `select datname as name from pg_database where datallowconn and not datistemplate`,
    [],
  );
  const found: string[] = [];
  for (const database of databases) {
    const url = server.superuserUrl(database);
    const [local] = await query<{ there: boolean }>(
      url,
      `select to_regclass('tenantctl.move') is not null as there`,
    );
    if (local?.there !== true) continue;
    const here = await names(
      url,
      `select 'move ' || move as name from tenantctl.move where tenant = $1
       union all select 'mark ' || d.relation from tenantctl.dirty d where not exists (select from tenantctl.move m where m.move = d.move)
       union all select 'set aside ' || a.name from tenantctl.set_aside a where not exists (select from tenantctl.move m where m.move = a.move)
       union all select 'placement ' || schema from tenantctl.placement where tenant = $1 and not (schema = $2 and current_database() = $3 and state = 'active' and status = 'active' and epoch = $4)
       union all select 'trigger ' || t.tgname from pg_trigger t where tgname like 'tenantctl\\_%' and pg_get_triggerdef(t.oid) like '%' || $1 || '%'
       union all select 'disabled trigger ' || t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
          where not t.tgisinternal and t.tgenabled = 'D' and c.relnamespace::regnamespace::text = $2
       union all select 'schema ' || nspname from pg_namespace where nspname like '%' || $1 and not (nspname = $2 and current_database() = $3)
       union all select 'ledger ' || unit from tenantctl.ledger where unit like 'schema:%' || $1 and not (unit = 'schema:' || $2 and current_database() = $3)
       union all select 'constraint ' || conname from pg_constraint where not convalidated and connamespace::regnamespace::text = $2`,
      [id, home.schema, home.database, home.epoch],
    );
    found.push(...here.map((name) => `${name} in ${database}`));
    found.push(...(await strayRows(url, database, home)));
  }
  return found;
}

/** Rows with the tenant's key in a schema that it does not live in. */
async function strayRows(
  url: string,
  database: string,
  home: { schema: string; database: string; key: string },
): Promise<string[]> {
  const tables = await names(
    url,
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     where c.relkind in ('r', 'p') and not c.relispartition and not (n.nspname = $1 and current_database() = $2)`,
    [home.schema, home.database],
  );
  const stray: string[] = [];
  for (const table of tables) {
    const [row] = await query<{ n: number }>(
      url,
      `select count(*)::int as n from ${table} where tenant_id::text = $1`,
      [home.key],
    );
    if (row?.n !== 0) stray.push(`${row?.n} rows in ${table} of ${database}`);
  }
  return stray;
}

async function names(url: string, text: string, values: unknown[]): Promise<string[]> {
  return (await query<{ name: string }>(url, text, values)).map(({ name }) => name);
}
