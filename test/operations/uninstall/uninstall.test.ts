import { describe, expect, test } from 'vitest';
import { uninstall } from '../../../src/operations/uninstall/uninstall.js';
import { query, useServer, withClient } from '../../support/server.js';
import { legacyFleet } from '../adopt/legacy.js';
import { dumpOf } from '../check/dump.js';
import type { IsolatedFleet } from '../check/isolated-fleet.js';
import { leftovers, madeByUs } from './left.js';

/** Without it the server would write statistics while nobody looks. */
const server = useServer({ autovacuum: 'off' });

describe('a fleet of all three tiers that was adopted', () => {
  test('is after uninstall, byte for byte, what it was before', async () => {
    const made = await legacyFleet(server.current);
    const own = `${made.database}_own`;
    for (const id of ['acme', 'globex']) await made.makeSchema(id);
    await made.makeDatabase(own);
    await made.makeSchema('public', 4, own);
    const pooled = `${made.database}_pool`;
    await made.makeDatabase(pooled);
    await made.makeSchema('pooled', 4, pooled);
    await made.asOwner(ACCOUNTS, pooled);
    const [pool] = Object.values(made.settings.clusters['main']?.pools ?? {});
    if (pool !== undefined) Object.assign(pool, { database: pooled, schema: 'pooled', rls: 'observe' });
    const before = await dumps(made.database, own, pooled);
    const rows: Parameters<typeof made.adopt>[0] = [
      { id: 'acme' },
      { id: 'globex' },
      { id: 'corp', tier: 'database', database: own, schema: 'public' },
      { id: 'small', tier: 'pool', database: pooled, schema: 'pooled', key: KEY },
    ];
    const [odd] = (await made.dryRun(rows)).refused;
    const accept = [/--accept (\w+)/.exec(odd?.hint ?? '')?.[1] ?? ''];
    const report = await made.adopt(rows, { accept });
    expect(report).toMatchObject({ adopted: 4, refused: [] });

    const { removed, kept } = await uninstall(made.fleet, { dryRun: false });
    expect(removed.map(({ kind, name, where }) => `${where} ${kind} ${name}`)).toEqual(
      expect.arrayContaining([`main/${made.database} schema tenantctl`, `main/${own} schema tenantctl`]),
    );
    expect(kept.filter(({ kind }) => kind === 'home').map(({ name }) => name)).toContain(
      'schema acme of tenant acme',
    );
    expect(await dumps(made.database, own, pooled)).toEqual(before);
    expect(await uninstall(made.fleet, { dryRun: false })).toMatchObject({ removed: [] });
  });
});

describe('a fleet that this tool has made', () => {
  test('keeps its tenants, their rows and what holds them apart, and has nothing of ours left', async () => {
    const made = await madeByUs(server.current);
    const before = await seenBy(made, 'small');
    expect(before).toBeGreaterThan(0);
    const planned = await uninstall(made.fleet, { dryRun: true });
    expect(planned.blockers).toEqual([]);
    expect(await leftovers(server.current, made)).not.toEqual([]);
    const done = await uninstall(made.fleet, { dryRun: false });
    expect(done.removed).toEqual(planned.removed);
    expect(done.kept.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['policy', 'home', 'role', 'database']),
    );
    expect(done.lost.map(({ what }) => what)).toContain('entries of the audit log');
    expect(await leftovers(server.current, made)).toEqual([]);
    expect(await seenBy(made, 'small')).toBe(before);
    expect(await seenBy(made, null)).toBe(0);
    const open = await query(
      server.current.superuserUrl(made.databaseOf('pool')),
      `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)`,
    );
    expect(open).toEqual([]);
  });
});

/** The keys of tenants by pool, as they were before the local state went. */
const keys = new Map<string, string>();

/** How many rows the application reads in the pool for a tenant, or without any. */
function seenBy(made: IsolatedFleet, tenant: string | null): Promise<number> {
  const database = made.databaseOf('pool');
  return withClient(server.current.superuserUrl(database), async (client) => {
    if (tenant !== null && !keys.has(database)) {
      const { rows } = await client.query<{ key: string }>(
        'select key from tenantctl.placement where tenant = $1',
        [tenant],
      );
      keys.set(database, rows[0]?.key ?? '');
    }
    const key = tenant === null ? '' : (keys.get(database) ?? '');
    await client.query(`select set_config('app.tenant_id', $1, false)`, [key]);
    await client.query(`set role ${made.settings.tenancy.appRole}`);
    const { rows } = await client.query<{ count: number }>(
      'select count(*)::int as count from app.tenant_settings',
    );
    return rows[0]?.count ?? -1;
  });
}

const KEY = '00000000-0000-4000-8000-00000000000a';

const ACCOUNTS = `
  create table pooled.account (tenant_id uuid, id bigint, name text);
  insert into pooled.account values ('${KEY}', 1, 'one'), (null, 2, 'two')`;

/** What belongs to roles is listed for the whole server, that of the catalog's database among it: only that of these is ours to compare. */
const OWNED = `select md5(string_agg(d::text, ' ' order by d::text)) as digest from pg_shdepend d
  where d.dbid in (0, (select oid from pg_database where datname = current_database()))`;

async function dumps(...databases: string[]): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const database of databases) {
    Object.assign(all, await dumpOf(server.current, database));
    all[`${database}: pg_catalog.pg_shdepend`] = await query(server.current.superuserUrl(database), OWNED);
  }
  return all;
}
