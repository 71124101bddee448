import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Condition, type Selector, parseSelectors } from '../../../src/core/selector.js';
import type { Fleet } from '../../../src/engine/context.js';
import { listTenants } from '../../../src/operations/list.js';
import { withClient } from '../../support/server.js';
import { useCatalog } from './rows.js';

const catalog = useCatalog();

/** Values that mean something to LIKE, to SQL or to JSON. */
const HOSTILE = [
  '50%',
  '_',
  '%',
  'a_b',
  'axb',
  'a\\b',
  '\\',
  "it's",
  "'; drop table x; --",
  '"q"',
  '{"a":1}',
  'Ä🎉',
  '',
];

interface Row {
  id: string;
  status: string;
  tier: string;
  plan: string | null;
  labels: Record<string, string>;
}

let rows: Row[] = [];
let fleet: Fleet;

beforeEach(() => {
  fleet = catalog.fleet.another();
});

beforeAll(async () => {
  await withClient(catalog.url, async (client) => {
    await client.query(`insert into tenantctl_catalog.clusters (name) values ('main');
      insert into tenantctl_catalog.plans (name, tier) values ('free', 'schema'), ('pro', 'schema')`);
    await client.query(
      `insert into tenantctl_catalog.tenants (id, key, plan, labels)
        select (array['t_', 't-', 'x'])[1 + i % 3] || i, i::text, (array['free', 'pro', null])[1 + i % 3],
          case when i % 5 = 0 then '{}' else jsonb_build_object('note', ($1::text[])[1 + i % cardinality($1)], 'odd.name', i::text) end
        from generate_series(1, 60) i`,
      [HOSTILE],
    );
    await client.query(`
      insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, role, unit)
        select id, 1, 'schema', 'main', 'fleet', id, id, 'schema:' || id from tenantctl_catalog.tenants;
      update tenantctl_catalog.tenants set status = 'active' where key::int % 2 = 0;`);
    const result = await client.query<Row>(
      `select id, status, 'schema' as tier, plan, labels from tenantctl_catalog.tenants order by id`,
    );
    rows = result.rows;
  });
});

const idsOf = async (select: Selector): Promise<string[]> => {
  const { tenants, next } = await listTenants(fleet, { select, limit: 1000, after: null });
  expect(next).toBeNull();
  return tenants.map(({ id }) => id).sort();
};

/** What a selector means, said again without SQL. */
const expected = (select: Selector): string[] =>
  rows
    .filter((row) => select.length === 0 || select.some((all) => all.every((one) => matches(row, one))))
    .map(({ id }) => id)
    .sort();

function matches(row: Row, { field, label, pattern, negated }: Condition): boolean {
  const value =
    field === 'label' ? row.labels[label as string] : row[field as 'id' | 'status' | 'tier' | 'plan'];
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const equal = value !== undefined && value !== null && new RegExp(`^${parts.join('.*')}$`, 's').test(value);
  return equal !== negated;
}

describe('a selector', () => {
  test.each([
    ['id=t_3', 1],
    ['id=t_*', 20],
    ['id=t-*,status=active', 10],
    ['id=*1*', null],
    ['plan=free', 20],
    ['plan!=free', 40],
    ['plan!=*', 20],
    ['status!=active,plan=pro', 10],
    ['label.note=50%', null],
    ['label.note=*%', null],
    ['label.note!=_', null],
    ['label.odd.name=7', 1],
    ['label.none=x', 0],
    ['label.none!=x', 60],
    ['tier=schema', 60],
    ['tier=pool', 0],
    ['unit=schema:x2', 1],
    ['cluster=main,database=fle*', 60],
  ])('%s finds what it says', async (text, count) => {
    const select = parseSelectors([text]);
    const found = await idsOf(select);
    const known = select[0]?.every(({ field }) => ['id', 'status', 'plan', 'label', 'tier'].includes(field));
    if (known === true) expect(found).toEqual(expected(select));
    if (count !== null) expect(found).toHaveLength(count);
    else expect(found.length).toBeGreaterThan(0);
  });

  test('is all of its conditions; several are any of them', async () => {
    const select = parseSelectors(['plan=free,status=active', 'id=x2']);
    const found = await idsOf(select);
    expect(found).toEqual(expected(select));
    expect(found).toContain('x2');
    expect(await idsOf([])).toHaveLength(60);
  });

  test('takes hostile patterns for what they are', async () => {
    const piece = fc.constantFrom(
      ...HOSTILE.filter((text) => !text.includes(',')),
      '*',
      'b',
      't',
      '1',
      '-',
      '_',
    );
    const pattern = fc
      .array(piece, { minLength: 1, maxLength: 4 })
      .map((pieces) => pieces.join(''))
      .filter((text) => text !== '');
    const condition = fc
      .record({ field: fc.constantFrom('id', 'plan', 'label'), pattern, negated: fc.boolean() })
      .map(
        ({ field, ...rest }) => ({ ...rest, field, label: field === 'label' ? 'note' : null }) as Condition,
      );
    const selector = fc.array(fc.array(condition, { minLength: 1, maxLength: 2 }), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(selector, async (select) => {
        expect(await idsOf(select)).toEqual(expected(select));
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    '',
    'plan',
    'plan=',
    'colour=red',
    'label=x',
    'id.x=y',
    'plan=free,,id=a',
    "id'='a'",
    'PLAN=free',
  ])('"%s" is refused and quoted', (text) => {
    expect(() => parseSelectors([text])).toThrow(/Cannot read the selector/);
  });
});
