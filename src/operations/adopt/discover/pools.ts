import { isTenantctlError } from '../../../core/errors.js';
import type { ClusterSettings, PoolSettings } from '../../../core/settings.js';
import { tenantKey } from '../../../core/tenant-key.js';
import type { Fleet } from '../../../engine/context.js';
import { driverOf } from '../../../engine/tiers/registry.js';
import { isDatabaseError } from '../../../pg/errors.js';
import type { Connection } from '../../../pg/connection.js';
import { ident, sql } from '../../../pg/sql.js';
import { type Found, foundAt } from './found.js';
import type { LocalHomes } from './known.js';
import { type PoolTable, distinctKeys, poolTables } from './pool-tables.js';
import { readOnly } from './read-only.js';

/** What a pool holds, and what of it could not be read. */
export interface PoolContents {
  found: Found[];
  problems: string[];
}

const NOTHING: PoolContents = { found: [], problems: [] };
const NOT_ALLOWED = '42501';

/** The tenants of a pool that is there and that this tool has not made: the keys of all its tables that are not known yet. */
export async function poolTenants(
  fleet: Fleet,
  session: Connection,
  cluster: ClusterSettings,
  pool: PoolSettings,
  homes: LocalHomes,
): Promise<PoolContents> {
  if (!homes.wasAdopted(pool.schema) && (await isOurs(fleet, session, cluster, pool, homes))) return NOTHING;
  const { column, columnType } = fleet.settings.tenancy;
  const tables = await readOnly(session, () => poolTables(session, pool.schema, column));
  const keys = new Set<string>();
  const problems: string[] = [];
  for (const table of tables) {
    try {
      for (const key of await keysIn(session, table, column)) keys.add(key);
    } catch (error) {
      if (!isDatabaseError(error) || !session.usable) throw error;
      problems.push(`the keys in ${table.schema}.${table.name} could not be read: ${error.message}`);
    }
  }
  const place = {
    tier: 'pool',
    cluster: cluster.name,
    database: pool.database,
    schema: pool.schema,
  } as const;
  const fitting = [...keys].filter((key) => isKey(key, columnType)).toSorted();
  if (fitting.length < keys.size) problems.push(oddKeys(pool, keys, columnType));
  const found = fitting.map((key) => foundAt(key, { ...place, key })).filter((one) => !homes.hasKey(one));
  return { found, problems };
}

/** Was the pool made by this tool? Then whoever lives there is known. */
async function isOurs(
  { settings }: Fleet,
  session: Connection,
  cluster: ClusterSettings,
  pool: PoolSettings,
  homes: LocalHomes,
): Promise<boolean> {
  if (homes.hasSchema(pool.schema)) return true;
  const driver = driverOf('pool');
  const { ledgerKey } = driver.unit('', driver.place('', cluster, pool, settings.tenancy));
  const there = await session.row<{ there: boolean }>(
    sql`select to_regclass('tenantctl.ledger') is not null as there`,
  );
  if (there?.there !== true) return false;
  const row = await session.row(sql`select from tenantctl.ledger where unit = ${ledgerKey} limit 1`);
  return row !== undefined;
}

/** As the administrator, or as the table's owner where that is refused: rights are often the owner's alone. */
async function keysIn(session: Connection, table: PoolTable, column: string): Promise<string[]> {
  const read = () => session.rows<{ key: string }>(distinctKeys(table, column));
  const rows = await readOnly(session, read).catch((refusal: unknown) => {
    if (!isDatabaseError(refusal) || refusal.code !== NOT_ALLOWED) throw refusal;
    // Where the owner cannot be assumed either, the first refusal says more.
    return readOnly(session, read, [sql`set local role ${ident(table.owner)}`]).catch(() =>
      Promise.reject(refusal),
    );
  });
  return rows.map(({ key }) => key);
}

function isKey(key: string, columnType: string): boolean {
  try {
    return tenantKey(key, columnType, '') === key;
  } catch (error) {
    if (!isTenantctlError(error)) throw error;
    return false;
  }
}

function oddKeys({ name }: PoolSettings, keys: ReadonlySet<string>, columnType: string): string {
  const odd = [...keys].filter((key) => !isKey(key, columnType));
  const shown = odd.slice(0, 3).map((key) => JSON.stringify(key));
  const more = odd.length > shown.length ? ` and ${odd.length - shown.length} more` : '';
  return `pool ${name} holds keys that are no ${columnType}: ${shown.join(', ')}${more}; tenancy.columnType says what they are`;
}
