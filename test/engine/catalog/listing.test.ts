import { beforeAll, describe, expect, test } from 'vitest';
import { findTenant, listTenantRecords } from '../../../src/engine/catalog/tenants.js';
import { type TenantList, listTenants } from '../../../src/operations/list.js';
import type { Connection } from '../../../src/pg/connection.js';
import type { Sql } from '../../../src/pg/sql.js';
import { withClient } from '../../support/server.js';
import { useCatalog } from './rows.js';

const small = useCatalog();
const large = useCatalog();
const PAGED = 1_000;
const MANY = 20_000;

/** Tenants of all tiers with their placements and units, without homes. */
async function generate(url: string, count: number): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`
      insert into tenantctl_catalog.clusters (name) values ('main');
      insert into tenantctl_catalog.pools (name, cluster, database, schema) values ('shared', 'main', 'pool', 'app');
      create temporary table made as
        select (array['a-', 'a_', 'a', 'z9'])[1 + i % 4] || 'x' || to_hex(i * 7919 % 1000003) as id, i,
          (array['pool', 'pool', 'pool', 'schema', 'database'])[1 + i % 5] as tier
        from generate_series(1, ${count}) i;
      insert into tenantctl_catalog.tenants (id, key) select id, i::text from made;
      insert into tenantctl_catalog.units (id, tier, cluster, database, schema, ledger_key)
        select distinct case tier when 'pool' then 'pool:shared' else tier || ':' || id end, tier, 'main',
          case tier when 'pool' then 'pool' when 'schema' then 'fleet' else id end, 'app', 'x' from made;
      insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, pool, role, unit)
        select id, 1, tier, 'main', case tier when 'pool' then 'pool' when 'schema' then 'fleet' else id end,
          case tier when 'schema' then id else 'app' end, case tier when 'pool' then 'shared' end, 'r',
          case tier when 'pool' then 'pool:shared' else tier || ':' || id end from made;
      analyze tenantctl_catalog.tenants; analyze tenantctl_catalog.placements; analyze tenantctl_catalog.units`);
  });
}

beforeAll(() => generate(small.url, PAGED));
beforeAll(() => generate(large.url, MANY));

describe('a listing of a thousand tenants', () => {
  test.each([1, 7, 499, 999, 1000, 5000])(
    'by pages of %i holds each of them once, in order',
    async (limit) => {
      const fleet = small.fleet.another();
      const seen: string[] = [];
      const most = limit === 1 ? 50 : PAGED;
      let after: string | null = null;
      do {
        const page: TenantList = await listTenants(fleet, { select: [], limit, after });
        seen.push(...page.tenants.map(({ id }) => id));
        after = page.next;
        expect(after === null || after === seen.at(-1)).toBe(true);
      } while (after !== null && seen.length < most);
      const all = await listTenants(fleet, { select: [], limit: PAGED * 2, after: null });
      expect(all.tenants).toHaveLength(PAGED);
      expect(seen).toEqual(all.tenants.slice(0, most).map(({ id }) => id));
      expect(new Set(seen).size).toBe(most);
    },
  );

  test('by a selector pages through what matches', async () => {
    const fleet = small.fleet.another();
    const select = [[{ field: 'tier' as const, label: null, negated: false, pattern: 'database' }]];
    const seen: string[] = [];
    for (let after: string | null = ''; after !== null;) {
      const page: TenantList = await listTenants(fleet, { select, limit: 30, after });
      expect(page.tenants.every(({ tier }) => tier === 'database')).toBe(true);
      seen.push(...page.tenants.map(({ id }) => id));
      after = page.next;
    }
    expect(new Set(seen).size).toBe(PAGED / 5);
    expect(seen).toHaveLength(PAGED / 5);
  });
});

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

/** The statement that a function of the catalog sends. */
async function statementOf(send: (connection: Connection) => Promise<unknown>): Promise<Sql> {
  const sent: Sql[] = [];
  const listen = <Found>(statement: Sql, found: Found): Promise<Found> => {
    sent.push(statement);
    return Promise.resolve(found);
  };
  const session = {
    row: (statement: Sql) => listen(statement, undefined),
    rows: (statement: Sql) => listen(statement, []),
  };
  await send(session as unknown as Connection);
  expect(sent).toHaveLength(1);
  return sent[0] as Sql;
}

async function planOf(statement: Sql): Promise<PlanNode[]> {
  const { text, values } = statement.query();
  const result = await withClient(large.url, (client) =>
    client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(`explain (format json) ${text}`, values),
  );
  const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];
  return (result.rows[0]?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => flatten(Plan));
}

const page = (after: string | null) => ({ select: [], limit: 50, after });

describe('among twenty thousand tenants', () => {
  test.each([
    ['a route', (connection: Connection) => findTenant(connection, 'a-x1eef')],
    ['the first page', (connection: Connection) => listTenantRecords(connection, page(null))],
    ['a page in the middle', (connection: Connection) => listTenantRecords(connection, page('a_x8'))],
    ['the last page', (connection: Connection) => listTenantRecords(connection, page('zz'))],
  ])('%s is found by indexes alone', async (_what, send) => {
    const nodes = await planOf(await statementOf(send));
    const scans = nodes.filter((node) => node['Relation Name'] !== undefined);
    expect(scans.map((node) => node['Relation Name']).sort()).toEqual(['placements', 'tenants', 'units']);
    for (const scan of scans) expect(scan['Node Type']).toMatch(/^Index/);
    expect(nodes.filter((node) => node['Node Type'] === 'Sort')).toEqual([]);
  });
});
