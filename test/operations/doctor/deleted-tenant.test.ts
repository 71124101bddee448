import { expect, test } from 'vitest';
import { useServer, withClient } from '../../support/server.js';
import { doctorFleet, rulesOf } from './support.js';

const server = useServer();

test('a healthy fleet of all tiers has no findings', async () => {
  const made = await doctorFleet(server.current);
  for (const tier of ['pool', 'schema', 'database'] as const) await made.tenant(`t-${tier}`, tier, 3);
  expect(await made.findings()).toEqual([]);
});

test.each(['pool', 'schema', 'database'] as const)(
  'a deleted tenant that a restored backup has brought back is found in tier %s',
  async (tier) => {
    const made = await doctorFleet(server.current);
    const { database } = await made.backFromTheDead('lazarus', tier);
    const findings = await made.findings();
    expect(new Set(rulesOf(findings))).toEqual(new Set(['deleted-tenant-is-back error']));
    for (const { facts, message } of findings) {
      expect(facts).toMatchObject({ tenant: 'lazarus', database, fixable: false });
      expect(message).toContain('tenant lazarus, deleted at');
    }
    // Nobody deletes by guessing.
    expect((await made.fix()).fixed).toEqual([]);
  },
);

test.each(['pool', 'schema'] as const)(
  'what the finding tells the administrator to send deletes it again in tier %s, and it is found no more',
  async (tier) => {
    const made = await doctorFleet(server.current);
    const { database } = await made.backFromTheDead('lazarus', tier);
    const neighbour = await made.rows(await made.show('neighbour'));
    const [finding] = await made.findings();
    const statements = finding?.facts['statements'] as string[];
    await withClient(server.current.adminUrl(database), async (client) => {
      for (const statement of statements) await client.query(statement);
    });
    // Its role has rights on nothing now.
    expect(rulesOf((await made.fix()).fixed)).toEqual(tier === 'schema' ? ['orphan-role warning'] : []);
    expect(await made.findings()).toEqual([]);
    expect(await made.rows(await made.show('neighbour'))).toEqual(neighbour);
  },
);

test('rows of a deleted tenant are found in a pool without a local placement, table by table', async () => {
  const made = await doctorFleet(server.current);
  const { database, key } = await made.backFromTheDead('lazarus', 'pool');
  await made.inside(database, `delete from tenantctl.placement where tenant = 'lazarus'`);
  const [finding] = await made.findings();
  const tables = finding?.facts['tables'] as string[];
  const counted = await made.rows({ ...(await made.show('neighbour')), key });
  expect(tables.toSorted()).toEqual(
    Object.entries(counted)
      .filter(([, rows]) => rows > 0)
      .map(([table]) => table)
      .toSorted(),
  );
  expect(tables.length).toBeGreaterThan(3);
});

test('a tenant that has moved before it was deleted is found in a home that it had left', async () => {
  const made = await doctorFleet(server.current);
  const before = await made.tenant('wanderer', 'pool', 3);
  await made.promote({ id: 'wanderer', to: 'schema' });
  const { database } = await made.show('wanderer');
  await made.catalog(
    `update tenantctl_catalog.moves set state = 'completed', finished_at = now() where tenant = 'wanderer'`,
  );
  for (const status of ['offboarding', 'deleted'])
    await made.catalog(
      `update tenantctl_catalog.tenants set status = $1, deleted_at = case when $1 = 'deleted' then now() end where id = 'wanderer'`,
      [status],
    );
  await made.catalog(
    `update tenantctl_catalog.placements set until = now() where tenant = 'wanderer' and until is null`,
  );
  const places = (await made.findings())
    .filter(({ rule }) => rule === 'deleted-tenant-is-back')
    .map(({ facts }) => `${String(facts['database'])}.${String(facts['schema'])}`);
  expect(places).toContain(`${before.database}.${before.schema}`);
  expect(places).toContain(`${database}.${(await schemaOf(made, 'wanderer')) ?? ''}`);
});

test('a deleted tenant is found in a database that was restored under another name, and none of another fleet', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.backFromTheDead('lazarus', 'database');
  const other = await doctorFleet(server.current);
  await other.tenant('lazarus', 'database', 3);
  await made.fleet.connections('main').leave(database);
  await withClient(server.current.superuserUrl('postgres'), (client) =>
    client.query(`alter database "${database}" rename to "${database}_restored"`),
  );
  const findings = await made.findings();
  expect(findings.map(({ facts }) => facts['database'])).toEqual([`${database}_restored`]);
  expect(await other.findings()).toEqual([]);
});

async function schemaOf(
  made: Awaited<ReturnType<typeof doctorFleet>>,
  id: string,
): Promise<string | undefined> {
  const [row] = await made.catalog<{ schema: string }>(
    'select schema from tenantctl_catalog.placements where tenant = $1 order by epoch desc limit 1',
    [id],
  );
  return row?.schema;
}
