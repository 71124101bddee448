import { describe, expect, it } from 'vitest';
import { readAdoptRows } from '../../src/cli/rows/adopt-request.js';
import { listCsv, listedUnit } from '../../src/cli/adopt-list.js';
import type { LocalServer } from '../../src/embedded/server.js';
import type { AdoptRequest, AdoptRow } from '../../src/operations/adopt/request.js';
import { adoptRequest } from '../operations/adopt/legacy.js';
import { fleetSettings } from '../support/fleet.js';
import { testIo } from './support.js';

const NOWHERE = { adminUrl: () => 'postgres://nowhere/x', port: 1 } as unknown as LocalServer;
/** One cluster `main` with one pool, `shared1` in `app_shared_1.app`; plans free, pro, enterprise. */
const ONE = fleetSettings(NOWHERE, 1);
const { main } = ONE.clusters as { main: (typeof ONE.clusters)[string] };
const east = {
  ...main,
  name: 'east',
  schemaDatabase: 'crm',
  pools: {
    a: { name: 'a', database: 'crm', schema: 'pool_a' },
    b: { name: 'b', database: 'crm', schema: 'pool_b' },
  },
};
const TWO = { ...ONE, clusters: { main, east } };
const KEY = '7b0c1a5e-4a1c-4a53-9d5b-2f6f3c1d9e01';
const KEY2 = '7b0c1a5e-4a1c-4a53-9d5b-2f6f3c1d9e02';

async function read(text: string, settings = ONE): Promise<AdoptRow[]> {
  const { io } = testIo({ input: text });
  const rows: AdoptRow[] = [];
  for await (const row of readAdoptRows('-', io, settings)) rows.push(row);
  return rows;
}

const problems = async (text: string, settings = ONE) =>
  (await read(text, settings)).flatMap((row) => ('problem' in row ? [[row.line, row.problem]] : []));

describe('a list of tenants that are there', () => {
  it('says where each lives; what leaves no choice comes from the configuration', async () => {
    const rows = await read(
      `id,tier,database,schema,tenantKey,plan,label.ring,owner,role,version,ledger
a,pool,,,${KEY},,canary,,,,
b,schema,,tenant_b,,,,jo@b.c,b_role,0007,public.migrations
c,,crm_c,,,enterprise,,,,,
d,database,crm_d,Sales,${KEY2.toUpperCase()},,,,,,
`,
    );
    const base = {
      cluster: 'main',
      plan: null,
      owner: null,
      labels: {},
      role: null,
      version: null,
      ledger: null,
    };
    expect(rows).toEqual([
      {
        line: 2,
        request: {
          ...base,
          id: 'a',
          tier: 'pool',
          database: 'app_shared_1',
          schema: 'app',
          key: KEY,
          labels: { ring: 'canary' },
        },
      },
      {
        line: 3,
        request: {
          ...base,
          id: 'b',
          tier: 'schema',
          database: 'app_shared_1',
          schema: 'tenant_b',
          key: null,
          owner: 'jo@b.c',
          role: 'b_role',
          version: '0007',
          ledger: 'public.migrations',
        },
      },
      {
        line: 4,
        request: {
          ...base,
          id: 'c',
          tier: 'database',
          database: 'crm_c',
          schema: 'public',
          key: null,
          plan: 'enterprise',
        },
      },
      {
        line: 5,
        request: { ...base, id: 'd', tier: 'database', database: 'crm_d', schema: 'Sales', key: KEY2 },
      },
    ]);
  });

  it('is NDJSON as well, as --discover --json gives it', async () => {
    const rows = await read(
      `{"id":"a","tier":"pool","cluster":"east","pool":"b","tenantKey":"${KEY}","plan":null,"labels":{"ring":"x"}}\n`,
      TWO,
    );
    expect(rows).toMatchObject([
      {
        line: 1,
        request: { id: 'a', cluster: 'east', database: 'crm', schema: 'pool_b', labels: { ring: 'x' } },
      },
    ]);
  });

  it.each([
    ['Bad,schema,main,,s,,', '"Bad" is not a tenant id: it contains "B"'],
    [',schema,main,,s,,', 'it has no id'],
    ['a,row,main,,s,,', 'tier "row" is not one of pool, schema, database'],
    ['a,,main,,s,,', 'it names neither tier nor plan'],
    ['a,schema,,,s,,', 'it names no cluster; there are main, east'],
    ['a,schema,west,,s,,', 'the configuration has no cluster "west"'],
    ['a,pool,west,,,,', 'the configuration has no cluster "west"'],
    ['a,schema,main,,s,,gold', 'the configuration has no plan "gold"'],
    ['a,schema,main,,s,,constructor', 'the configuration has no plan "constructor"'],
    ['a,schema,main,,s,,free', 'plan free is of tier pool, not schema'],
    ['a,schema,main,,,,', 'it has no schema'],
    ['a,database,main,,,,', 'it has no database'],
    [`a,schema,main,,${'x'.repeat(64)},,`, 'schema has 64 bytes'],
    [`a,schema,main,,${'ü'.repeat(32)},,`, 'schema has 64 bytes'],
    ['a,schema,main,,pg_toast,,', "schema pg_toast is nobody's home"],
    ['a,schema,main,,tenantctl,,', "schema tenantctl is nobody's home"],
    ['a,database,main,template1,,,', "database template1 is nobody's home"],
    ['a,pool,main,,,,', 'it has no tenantKey'],
    ['a,pool,main,,,7,', '"7" is not a value of type uuid'],
    [`a,pool,east,,,${KEY},`, 'it fits several pools: a, b; name one in column pool'],
    [
      `a,pool,east,crm,pool_c,${KEY},`,
      'the configuration has no pool of cluster "east", database "crm", schema "pool_c"',
    ],
  ])('names a row that cannot be, and reads on: %s', async (row, problem) => {
    const rows = await read(
      `id,tier,cluster,database,schema,tenantKey,plan\n${row}\ngood,schema,main,,tenant_good,,\n`,
      TWO,
    );
    expect(rows).toMatchObject([
      { line: 2, problem: expect.stringContaining(problem) as string },
      { line: 3, request: { id: 'good' } },
    ]);
  });

  it('refuses a pool for a tenant that has a place of its own', async () => {
    expect(await problems('id,tier,schema,pool\na,schema,s,shared1\n')).toEqual([
      [2, 'only tenants of tier pool have a pool'],
    ]);
  });

  it('names both lines where an id, a key or a place stands twice; tenants of a pool share theirs', async () => {
    const text = `id,tier,database,schema,tenantKey
a,schema,,tenant_a,
a,schema,,tenant_b,
c,schema,,tenant_a,
p,pool,,,${KEY}
q,pool,,,${KEY2}
r,pool,,,${KEY}
d,database,crm,,
e,database,crm,other,
a,wrong,,tenant_z,
f,schema,other,tenant_a,
`;
    expect(await problems(text)).toEqual([
      [3, 'tenant a is listed twice: in line 2 and in line 3'],
      [4, 'main/app_shared_1.tenant_a is listed twice: in line 2 and in line 4'],
      [7, `tenantKey "${KEY}" is listed twice: in line 5 and in line 7`],
      [9, 'main/crm.other is listed twice: in line 8 and in line 9'],
      [10, 'tier "wrong" is not one of pool, schema, database'],
    ]);
  });

  it('may not have columns that it does not know', async () => {
    await expect(read('id,tier,colour\n')).rejects.toMatchObject({
      code: 'ROWS_HEADER',
      exit: 2,
      hint: expect.stringContaining('id,tier,cluster,database,schema,tenantKey,plan') as string,
    });
  });
});

describe('a list that is written', () => {
  const request = (schema: string, more: Partial<AdoptRequest> = {}): AdoptRequest =>
    adoptRequest({ id: 'a', database: 'app_shared_1', schema, ...more });

  it.each([
    'a,b',
    'say "hi"',
    ' spaces ',
    'line\nbreak',
    'cr\rlf',
    "o'neil",
    '北京',
    '#x',
    'tab\t',
    '"',
    'a;b',
    '\u00a0',
  ])('is read as it was, whatever the name: %j', async (schema) => {
    const list = [request(schema, { labels: { ring: schema } })];
    const rows = await read(listCsv(list.map(listedUnit)));
    expect(rows.map((row) => ('problem' in row ? row.problem : row.request))).toEqual(list);
  });

  it('has the columns that somebody needs, and always those that say who lives where', () => {
    const plain = listCsv([listedUnit(request('s'))]);
    expect(plain).toBe('id,tier,cluster,database,schema,tenantKey,plan\na,schema,main,app_shared_1,s,,\n');
    const more = listCsv([
      listedUnit(request('s')),
      listedUnit(request('t', { ledger: 'public.m', labels: { zone: 'z', ring: 'r' } })),
    ]);
    expect(more.split('\n', 1)[0]).toBe(
      'id,tier,cluster,database,schema,tenantKey,plan,ledger,label.ring,label.zone',
    );
    expect(listCsv([])).toBe('id,tier,cluster,database,schema,tenantKey,plan\n');
  });

  it('may be put together of several lists, each with its header', async () => {
    const row = (schema: string) => listedUnit({ ...request(schema), id: schema });
    const together = `${listCsv([row('a')])}${listCsv([row('b')])}`;
    expect((await read(together)).map((one) => ('problem' in one ? one : one.request.id))).toEqual([
      'a',
      'b',
    ]);
  });
});
