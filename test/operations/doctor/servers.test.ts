import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { lockFindings } from '../../../src/operations/doctor/lock-table.js';
import { budgetFindings, versionFindings } from '../../../src/operations/doctor/server-limits.js';
import { startFakePooler } from '../../cli/fake-pooler.js';
import { query, useServer, withClient } from '../../support/server.js';
import { sharedBackendPooler } from './shared-backend.js';
import { doctorFleet, rulesOf } from './support.js';

const server = useServer();

test('the versions that are supported are no finding, older ones are an error', () => {
  for (const version of [150_018, 160_003, 170_001, 180_004])
    expect(versionFindings('main', version)).toEqual([]);
  expect(versionFindings('main', 140_011)).toMatchObject([{ rule: 'server-version', level: 'error' }]);
  expect(versionFindings('main', 190_000)).toMatchObject([{ rule: 'server-version', level: 'info' }]);
});

test('a budget that the server does not have is found, on the server and by its numbers', async () => {
  expect(budgetFindings('main', { available: 97, others: 30, budget: 67 })).toEqual([]);
  expect(budgetFindings('main', { available: 97, others: 80, budget: 20 })).toMatchObject([
    { rule: 'connection-budget', message: expect.stringContaining('taken by others') as string },
  ]);
  const made = await doctorFleet(server.current);
  const { main } = made.settings.clusters;
  if (main === undefined) throw new Error('the test fleet has a cluster main');
  main.maxConnections = 120;
  expect(await made.findings()).toEqual([]);
  made.settings.clusters['twin'] = { ...main, name: 'twin', pools: {}, schemaDatabase: 'postgres' };
  expect(rulesOf(await made.findings())).toEqual(['connection-budget warning']);
  delete made.settings.clusters['twin'];
  main.maxConnections = 5_000;
  expect(rulesOf(await made.findings())).toEqual(['connection-budget warning']);
});

test('more relations than the server has locks for are found', async () => {
  const fits = { dump: 10, largest: 20, schema: 'app', capacity: 20 };
  expect(lockFindings('main/app', fits)).toEqual([]);
  expect(lockFindings('main/app', { ...fits, dump: 21 })).toMatchObject([
    { rule: 'lock-table', message: expect.stringContaining('pg_dump') as string },
  ]);
  expect(lockFindings('main/app', { ...fits, largest: 21 })).toMatchObject([
    { message: expect.stringContaining('schema app has 21 relations') as string },
  ]);
});

describe('an administrator’s URL', () => {
  test.each([
    ['that gives out process ids of its own', (port: number) => startFakePooler(port)],
    ['that hands on a backend’s process id to several clients', (port: number) => sharedBackendPooler(port)],
  ])('that leads to a pooler %s is found', async (_what, start) => {
    const made = await doctorFleet(server.current);
    const { main } = made.settings.clusters;
    if (main === undefined) throw new Error('the test fleet has a cluster main');
    const pooler = await start(server.current.port);
    await made.fleet.close();
    try {
      const url = new URL(main.url);
      url.port = String(pooler.port);
      url.searchParams.set('sslmode', 'disable');
      const another = made.another();
      made.settings.clusters['main'] = { ...main, url: url.href };
      const { diagnose } = await import('../../../src/operations/doctor/doctor.js');
      const { findings } = await diagnose(another, { fix: false, dryRun: false });
      expect(rulesOf(findings)).toContain('pooled-admin error');
    } finally {
      pooler.close();
    }
  });
});

describe('the place to which applications are sent', () => {
  async function withApp(app: { host: string; port: number }) {
    const made = await doctorFleet(server.current);
    const { main } = made.settings.clusters;
    if (main === undefined) throw new Error('the test fleet has a cluster main');
    main.app = app;
    return made.findings();
  }

  test('is found where nobody answers, or somebody who is no PostgreSQL', async () => {
    expect(await withApp({ host: '127.0.0.1', port: server.current.port })).toEqual([]);
    expect(await withApp({ host: '127.0.0.1', port: 1 })).toMatchObject([
      { rule: 'app-endpoint', level: 'warning', where: 'main, 127.0.0.1:1' },
    ]);
    const other = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const findings = await withApp({ host: '127.0.0.1', port });
    other.close();
    expect(findings).toMatchObject([
      { rule: 'app-endpoint', message: expect.stringContaining('does not speak as PostgreSQL') as string },
    ]);
  });

  test('is fine where a pooler answers, whose sessions are left alone', async () => {
    const heard: string[] = [];
    const pooler = createServer((socket) => {
      socket.on('data', (chunk) => (heard.push(chunk.toString('hex')), socket.write('N')));
    });
    pooler.listen(0, '127.0.0.1');
    await once(pooler, 'listening');
    const { port } = pooler.address() as AddressInfo;
    const findings = await withApp({ host: '127.0.0.1', port });
    pooler.close();
    expect(findings).toEqual([]);
    // The question for TLS and nothing else, at both of the doctor's looks.
    expect(new Set(heard)).toEqual(new Set(['0000000804d2162f']));
  });
});

describe('a policy of the user’s', () => {
  const policy = (expression: string) => `
    alter table app.journal enable row level security; create policy theirs on app.journal using (${expression}) with check (${expression})`;

  test('that casts a setting as it is is found, and the statement mends it', async () => {
    const made = await doctorFleet(server.current);
    const { database, key } = await made.show('neighbour');
    const admin = server.current.adminUrl(database);
    await query(admin, policy(`tenant_id = current_setting('app.tenant_id', true)::uuid`));
    const [finding, ...more] = await made.findings();
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ rule: 'bare-setting-cast', level: 'error', facts: { policy: 'theirs' } });
    for (const statement of finding?.facts.sql ?? []) await query(admin, statement);
    expect(await made.findings()).toEqual([]);
    // What it says is true: the second transaction of a session fails before, and not after.
    await withClient(admin, async (client) => {
      await client.query(`set role "${made.settings.tenancy.appRole}"`);
      await client.query(
        `begin; select set_config('app.tenant_id', '${key}', true); select count(*) from app.journal; commit`,
      );
      const { rows } = await client.query<{ n: number }>('select count(*)::int as n from app.journal');
      expect(rows).toEqual([{ n: 0 }]);
    });
  });

  test.each([
    `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`,
    `tenant_id::text = current_setting('app.tenant_id', true)`,
    `current_setting('app.role', true) = 'x'`,
  ])('such as %s is none', async (expression) => {
    const made = await doctorFleet(server.current);
    const { database } = await made.show('neighbour');
    await query(server.current.adminUrl(database), policy(expression));
    expect(await made.findings()).toEqual([]);
  });
});

test('local state of an older version of this tool is upgraded by --fix', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.show('neighbour');
  await made.inside(
    database,
    `drop function tenantctl.complete_home; alter table tenantctl.adopted drop column catalog, drop column shut;
     delete from tenantctl.ledger where unit = 'tenantctl' and id >= 12`,
  );
  const another = { ...made, fleet: made.another() };
  const { diagnose } = await import('../../../src/operations/doctor/doctor.js');
  const { fixed } = await diagnose(another.fleet, { fix: true, dryRun: false });
  expect(rulesOf(fixed)).toEqual(['local-state-old info']);
  expect(await made.findings()).toEqual([]);
});

test('local state of a newer version of this tool is told', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.show('neighbour');
  await made.inside(
    database,
    `insert into tenantctl.ledger (unit, id, name, checksum, tool) values ('tenantctl', 999, '0999_later', 'x', 'x')`,
  );
  expect(rulesOf(await made.findings())).toEqual(['local-state-newer error']);
});
