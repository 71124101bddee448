import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { FaultPoint } from '../../../src/core/faults.js';
import { type FleetSettings, NO_LIMITS, type PlanLimits } from '../../../src/core/settings.js';
import { substituteVariables } from '../../../src/core/sql-variables.js';
import type { Tier } from '../../../src/core/tier.js';
import { Fleet } from '../../../src/engine/context.js';
import type { Migration } from '../../../src/engine/ledger/migration.js';
import { loadFrom } from '../../support/migrations.js';
import type { Home } from '../../../src/engine/local/placements.js';
import { fillHome } from '../../../src/engine/tiers/fill.js';
import { driverOf } from '../../../src/engine/tiers/registry.js';
import { readSeed, runSeed } from '../../../src/operations/seed.js';
import { ident, literal } from '../../../src/pg/sql.js';
import { INVOICING } from '../../support/fleet.js';
import { query, withClient } from '../../support/server.js';

/** The tables of the sample product that hold rows of a tenant. */
export const TENANT_TABLES = [
  'activity',
  'app_user',
  'credit_note',
  'customer',
  'customer_contact',
  'document_counter',
  'invoice',
  'invoice_line',
  'payment',
  'payment_allocation',
  'product',
  'reminder',
  'tax_rate',
  'tenant_settings',
  'webhook_delivery',
  'webhook_endpoint',
  'workspace_plan',
] as const;

const PASSWORD = 'not-a-secret-of-anybody';

/** Where a tenant of this id would live, with a new key. */
export function homeFor(
  settings: FleetSettings,
  tier: Tier,
  id: string,
  { limits = NO_LIMITS, key = randomUUID() }: { limits?: PlanLimits; key?: string } = {},
): Home {
  const cluster = settings.clusters['main'];
  if (cluster === undefined) throw new Error('the test fleet has a cluster main');
  const pool = Object.values(cluster.pools)[0] ?? null;
  return {
    tenant: { id, key, plan: null, owner: `owner@${id}.example`, labels: { of: id }, limits },
    placement: driverOf(tier).place(id, cluster, pool, settings.tenancy),
    epoch: 1,
  };
}

/** A second process's view of the fleet, which dies (throws) where it reaches `point`. */
export function dyingFleet({ settings, options }: Fleet, point: FaultPoint): Fleet {
  return new Fleet(settings, {
    ...options,
    reach: (reached) => {
      if (reached === point) throw new Error(`died at ${point}`);
    },
  });
}

export function invoicing(): Promise<Migration[]> {
  return loadFrom(`${INVOICING}migrations`);
}

/** Makes a home of the sample product, seeds it, and gives it about `rows` rows when asked. */
export async function seeded(fleet: Fleet, home: Home, migrations: Migration[], rows = 0): Promise<Home> {
  const driver = driverOf(home.placement.tier);
  await driver.create(fleet, home, migrations);
  const seed = await readSeed(`${INVOICING}seed.sql`);
  if (seed === null) throw new Error('the sample product has a seed');
  await driver.admit(fleet, home, async (session) => {
    await runSeed(session, seed, home.tenant);
    if (rows > 0) await session.message(`${generator(rows)}; ${RARE_ROWS}`);
  });
  return home;
}

/** What the generator makes only with many rows: so that no table is left empty. */
const RARE_ROWS = `
  insert into credit_note (invoice_id, number, amount, reason) select id, 'CN-1', 1, 'typo' from invoice limit 1;
  insert into reminder (invoice_id, level, sent_to) select id, 5, 'accounts@example.com' from invoice limit 1`;

function generator(rows: number): string {
  const text = readFileSync(`${INVOICING}generate.sql`, 'utf8');
  return substituteVariables(text, 'generate.sql', { rows: literal(String(rows)) });
}

/** Makes a home and opens it without a seed: for small migrations of a test's own. */
export async function opened(fleet: Fleet, home: Home, migrations: Migration[]): Promise<Home> {
  const driver = driverOf(home.placement.tier);
  await driver.create(fleet, home, migrations);
  await driver.admit(fleet, home, async () => undefined);
  return home;
}

/** Writes the SQL texts as migrations 0001, 0002, … and loads them. */
export async function migrationsOf(...texts: string[]): Promise<Migration[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-migrations-'));
  texts.forEach((text, index) =>
    writeFileSync(path.join(folder, `${String(index + 1).padStart(4, '0')}_step.sql`), text),
  );
  return loadFrom(folder).finally(() => rmSync(folder, { recursive: true }));
}

/** Brings the unit of a home to the newest of `migrations`, as a run would. */
export function migrateUnit(fleet: Fleet, home: Home, migrations: Migration[]): Promise<void> {
  const unit = driverOf(home.placement.tier).unit(home.tenant.id, home.placement);
  return fleet.managed(unit.cluster, unit.database, (connection) =>
    fillHome(fleet, connection, unit, migrations),
  );
}

/** The application: a login role with its own password, member of the application role and nothing else. */
export interface Application {
  role: string;
  url(database: string): string;
  /** One transaction with the context of a tenant, set as `route` says. */
  asTenant<T>(home: Home, work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** One connection to a home's database with nothing set but the search path. */
  bare<T>(home: Home, work: (client: pg.Client) => Promise<T>): Promise<T>;
}

/** Makes the login role as the fleet's administrator would. The application role must be there. */
export async function newApplication(settings: FleetSettings): Promise<Application> {
  const admin = new URL(settings.catalogUrl);
  const { appRole, setting } = settings.tenancy;
  const role = `web_${appRole}`;
  await query(settings.catalogUrl, `create role ${role} login password '${PASSWORD}' in role ${appRole}`);
  const url = (database: string) => `postgresql://${role}:${PASSWORD}@${admin.host}/${database}`;
  const bare: Application['bare'] = (home, work) =>
    withClient(url(home.placement.database), async (client) => {
      await client.query(`set search_path = ${ident(home.placement.schema).text()}`);
      return work(client);
    });
  const asTenant: Application['asTenant'] = (home, work) =>
    withClient(url(home.placement.database), (client) =>
      inTransaction(client, async () => {
        if (home.placement.role !== appRole)
          await client.query(`set local role ${ident(home.placement.role).text()}`);
        await client.query(`set local search_path = ${ident(home.placement.schema).text()}`);
        await client.query(`select set_config($1, $2, true)`, [setting, home.tenant.key]);
        return work(client);
      }),
    );
  return { role, url, asTenant, bare };
}

export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** The SQLSTATE with which `work` is refused; fails when it is not. Savepoints keep a transaction usable. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  return (await failure(work)).code ?? '';
}

/** The server's error that `work` ends with; fails when there is none. */
export async function failure(work: Promise<unknown>): Promise<pg.DatabaseError> {
  const outcome = await work.then(
    () => 'no error',
    (error: unknown) => error,
  );
  const error = databaseErrorIn(outcome);
  if (error === undefined) throw new Error(`expected an error of the server, got ${String(outcome)}`);
  return error;
}

/** Errors of the tool carry the server's as their cause. */
function databaseErrorIn(error: unknown): pg.DatabaseError | undefined {
  if (error instanceof pg.DatabaseError) return error;
  return error instanceof Error ? databaseErrorIn(error.cause) : undefined;
}

/** Counts, by table, the rows that stand in a home's schema; in a pool only those of the tenant. */
export async function countRows(superuserUrl: string, home: Home): Promise<Record<string, number>> {
  const { schema, tier } = home.placement;
  const where = tier === 'pool' ? ` where tenant_id = '${home.tenant.key}'` : '';
  const counts = TENANT_TABLES.map(
    (table) =>
      `select '${table}' as name, count(*)::int as rows from ${ident(schema).text()}.${table}${where}`,
  );
  const rows = await query<{ name: string; rows: number }>(superuserUrl, counts.join(' union all '));
  return Object.fromEntries(rows.map((row) => [row.name, row.rows]));
}
