import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isTenantctlError } from '../../../src/core/errors.js';
import type { FaultPoint } from '../../../src/core/faults.js';
import { verifyBag } from '../../../src/engine/bag/verify.js';
import { findCertificate } from '../../../src/engine/catalog/certificates.js';
import { cancelOffboarding } from '../../../src/operations/offboard/cancel.js';
import { askTenant } from '../../../src/operations/ask.js';
import { offboardTenant } from '../../../src/operations/offboard/offboard.js';
import { listRetention } from '../../../src/operations/retention/list.js';
import { placeHold, releaseHold } from '../../../src/operations/retention/hold.js';
import { movesComplete } from '../../../src/operations/moves/verbs.js';
import { showTenant } from '../../../src/operations/show.js';
import { fleetStatus } from '../../../src/operations/status.js';
import { runRetention } from '../../../src/operations/retention/run.js';
import { Fleet } from '../../../src/engine/context.js';
import { withReach } from '../moves/reach.js';
import { useServer, withClient } from '../../support/server.js';
import { type LeavingFleet, TIERS, exportFolder, leavingFleet } from './leaving.js';

const server = useServer();
let leaving: LeavingFleet;

beforeAll(async () => {
  leaving = await leavingFleet(server.current);
});

/** Another process, acting for somebody with a reason. */
async function as<T>(actor: string, reason: string, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  const { settings, fleet } = leaving;
  const other = new Fleet(settings, { ...fleet.options, actor: { actor, reason, ticket: null } });
  try {
    return await work(other);
  } finally {
    await other.close();
  }
}

/** Runs `work` as another process, which waits for `does` before it goes on after a point. */
async function meanwhile<T>(
  point: FaultPoint,
  does: () => Promise<unknown>,
  work: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  let pending: Promise<unknown> | undefined;
  const reach = (reached: FaultPoint): void => {
    if (reached === point) pending ??= does();
  };
  const { settings, fleet } = leaving;
  const process = new Fleet(settings, { ...fleet.options, reach });
  const [catalog, managed] = [process.catalog.bind(process), process.managed.bind(process)];
  process.catalog = async (inside) => {
    await pending;
    return catalog(inside);
  };
  process.managed = async (cluster, database, inside) => {
    await pending;
    return managed(cluster, database, inside);
  };
  try {
    return await work(process);
  } finally {
    await process.close();
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return isTenantctlError(error) ? error.code : String(error);
  }
}

describe.each(TIERS)('a tenant in tier %s', (tier) => {
  it('is shut and exported when it is offboarded, and nothing of it is deleted', async () => {
    const tenant = await leaving.tenant(`shut-${tier}`, tier);
    const before = await leaving.rows(tenant);
    const left = await leaving.leave(tenant.id, {
      retainMs: 86_400_000,
      requestedBy: 'its owner',
      basis: 'GDPR Art. 17',
    });
    expect(left.tenant.status).toBe('offboarding');
    expect(await askTenant(leaving.fleet, tenant.id, 'select 1 from customer')).toMatchObject({
      refused: { sqlstate: tier === 'pool' ? 'TC002' : '42P01' },
    });
    expect(await verifyBag(left.export?.directory ?? '')).toMatchObject({ ok: true });
    expect(await leaving.rows(tenant)).toEqual(before);
    expect(await codeOf(leaving.run(tenant.id))).toBe('NOT_DUE');
    await cancelOffboarding(leaving.fleet, tenant.id, { dryRun: false });
    expect(await leaving.show(tenant.id)).toMatchObject({ status: 'active' });
    expect(await askTenant(leaving.fleet, tenant.id, 'select count(*)::int as n from customer')).toEqual({
      rows: [{ n: before['customer'] }],
    });
  });

  it('is deleted whole once it is due, with a certificate, and no other tenant loses a row', async () => {
    const tenant = await leaving.tenant(`gone-${tier}`, tier);
    const neighbour = await leaving.tenant(`stays-${tier}`, 'pool');
    const before = await leaving.others({ ...neighbour, key: tenant.key });
    await leaving.leave(tenant.id);
    const { deleted, failed, skipped } = await leaving.run(tenant.id);
    expect({ failed, skipped }).toEqual({ failed: [], skipped: [] });
    expect(deleted).toMatchObject([{ tenant: tenant.id }]);
    expect(await leaving.others({ ...neighbour, key: tenant.key })).toBe(before);
    const document = await leaving.fleet.catalog((connection) => findCertificate(connection, tenant.id));
    const tables = document?.certificate.objects.filter(({ kind }) => kind === 'table') ?? [];
    expect(tables.map(({ object, rowsAfter }) => [object, rowsAfter])).toContainEqual(['customer', 0]);
    expect(document?.certificate.rescan.control.found).toBeGreaterThan(200);
    expect(await codeOf(leaving.show(tenant.id))).toBe('TENANT_DELETED');
    const names = await leaving.superuser<{ n: number }>(
      'postgres',
      `select count(*)::int as n from pg_database where datname = '${tenant.database}' and '${tier}' = 'database'
        union all select count(*)::int from pg_roles where rolname = '${tenant.schema}' and '${tier}' = 'schema'`,
    );
    expect(names.map(({ n }) => n)).toEqual([0, 0]);
  });

  it('is not deleted while it is on hold, and is once the hold is released', async () => {
    const tenant = await leaving.tenant(`held-${tier}`, tier);
    await leaving.leave(tenant.id);
    await as('legal', 'case 17', (fleet) => placeHold(fleet, tenant.id, { dryRun: false }));
    const before = await leaving.rows(tenant);
    expect(await codeOf(leaving.run(tenant.id))).toBe('TENANT_ON_HOLD');
    expect((await leaving.run()).skipped).toContainEqual(
      expect.objectContaining({ tenant: tenant.id, code: 'TENANT_ON_HOLD' }),
    );
    expect(await leaving.rows(tenant)).toEqual(before);
    expect((await listRetention(leaving.fleet)).held).toContainEqual(
      expect.objectContaining({ tenant: tenant.id, author: 'legal' }),
    );
    await as('legal', 'case 17 closed', (fleet) => releaseHold(fleet, tenant.id, { dryRun: false }));
    expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id }]);
  });

  it('keeps what is left when a hold is placed while it is being deleted', async () => {
    const tenant = await leaving.tenant(`late-${tier}`, tier);
    await leaving.leave(tenant.id);
    const first = await meanwhile(
      'retention.begun',
      () => as('legal', 'just in time', (fleet) => placeHold(fleet, tenant.id, { dryRun: false })),
      (fleet) => runRetention(fleet, { ids: [tenant.id] }),
    );
    expect(first).toMatchObject({ deleted: [], failed: [], skipped: [{ code: 'TENANT_ON_HOLD' }] });
    expect((await leaving.rows(tenant))['customer']).toBe(200);
    expect(await codeOf(cancelOffboarding(leaving.fleet, tenant.id, { dryRun: false }))).toBe(
      'DELETION_BEGUN',
    );
    await as('legal', 'over', (fleet) => releaseHold(fleet, tenant.id, { dryRun: false }));
    expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id }]);
  });
});

it('the hold of a tenant is not to be read by its own application', async () => {
  const tenant = await leaving.tenant('watched', 'pool');
  await as('legal', 'secret case', (fleet) => placeHold(fleet, tenant.id, { dryRun: false }));
  const seen = await askTenant(leaving.fleet, tenant.id, 'select hold from tenantctl.placement');
  expect(seen).toMatchObject({ refused: { sqlstate: '42501' } });
  expect(await askTenant(leaving.fleet, tenant.id, 'select tenant from tenantctl.placement')).toEqual({
    rows: [{ tenant: 'watched' }],
  });
  await as('legal', 'over', (fleet) => releaseHold(fleet, tenant.id, { dryRun: false }));
});

it('how a tenant is leaving is shown with it, and in the status of the fleet when it is due', async () => {
  const tenant = await leaving.tenant('shown', 'pool', 10);
  await leaving.leave(tenant.id, { withoutExport: true, basis: 'contract' });
  expect((await showTenant(leaving.fleet, tenant.id)).offboarding).toMatchObject({
    state: 'scheduled',
    due: true,
    basis: 'contract',
  });
  expect((await fleetStatus(leaving.fleet, {})).due.map((one) => one.tenant)).toContain(tenant.id);
  await as('legal', 'case', (fleet) => placeHold(fleet, tenant.id, { dryRun: false }));
  expect((await showTenant(leaving.fleet, tenant.id)).held).toMatchObject([{ author: 'legal' }]);
  expect((await fleetStatus(leaving.fleet, {})).due.map((one) => one.tenant)).not.toContain(tenant.id);
  await as('legal', 'over', (fleet) => releaseHold(fleet, tenant.id, { dryRun: false }));
  await leaving.run(tenant.id);
});

it('a tenant that is being moved, or has two homes, is not offboarded; a hold goes with it and keeps its old copy', async () => {
  const tenant = await leaving.tenant('mover', 'pool', 20);
  await as('legal', 'case', (fleet) => placeHold(fleet, tenant.id, { dryRun: false }));
  await leaving.promote({ id: tenant.id, to: 'schema', graceMs: 3_600_000 });
  expect(await codeOf(leaving.leave(tenant.id))).toBe('TENANT_MOVING');
  expect(await codeOf(movesComplete(leaving.fleet, tenant.id, { dryRun: false }))).toBe('TENANT_ON_HOLD');
  const moved = await leaving.show(tenant.id);
  const [home] = await leaving.superuser<{ held: boolean }>(
    moved.database,
    `select hold is not null as held from tenantctl.placement where tenant = '${tenant.id}' and schema = '${moved.schema}'`,
  );
  expect(home?.held).toBe(true);
  await as('legal', 'over', (fleet) => releaseHold(fleet, tenant.id, { dryRun: false }));
  await movesComplete(leaving.fleet, tenant.id, { dryRun: false });
  await leaving.leave(tenant.id, { withoutExport: true });
  expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id }]);
});

it('more than --max due deletes nothing', async () => {
  const ids = ['many-1', 'many-2', 'many-3'];
  for (const id of ids) {
    await leaving.tenant(id, 'pool', 20);
    await leaving.leave(id, { withoutExport: true });
  }
  expect(await codeOf(runRetention(leaving.fleet, { ids: [], max: 2 }))).toBe('TOO_MANY_DUE');
  for (const id of ids) expect(await leaving.show(id)).toMatchObject({ status: 'offboarding' });
  const both = await Promise.all([leaving.run(), runRetention(leaving.another(), { ids: [] })]);
  const deleted = both.flatMap((one) => one.deleted.map(({ tenant }) => tenant)).toSorted();
  expect(deleted).toEqual(ids);
  expect(both.flatMap(({ failed }) => failed)).toEqual([]);
});

it('a call stops when its rows are spent, and the next one goes on', async () => {
  const tenant = await leaving.tenant('spent', 'pool', 300);
  await leaving.leave(tenant.id);
  const first = await runRetention(leaving.fleet, { ids: [tenant.id], maxRows: 100 });
  expect(first).toMatchObject({ deleted: [], failed: [], left: [tenant.id] });
  expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id }]);
});

it('a row that comes while it is being deleted goes too', async () => {
  const tenant = await leaving.tenant('late-row', 'pool');
  await leaving.leave(tenant.id);
  const { database, schema, key } = tenant;
  let inserted: Promise<unknown> | undefined;
  const { value, error } = await withReach(
    leaving,
    'retention.table-emptied',
    () =>
      (inserted ??= leaving.superuser(
        database,
        `insert into "${schema}".note (tenant_id, id, body) values ('${key}', 999999, 'late')`,
      )),
    (fleet) => runRetention(fleet, { ids: [tenant.id] }),
  );
  await inserted;
  expect(error).toBeUndefined();
  expect(value?.deleted).toMatchObject([{ tenant: tenant.id }]);
  expect((await leaving.rows(tenant))['note']).toBe(0);
});

it('rows that are found by the second look keep it from being called deleted', async () => {
  const tenant = await leaving.tenant('left', 'pool');
  await leaving.leave(tenant.id);
  const { database, schema, key } = tenant;
  const insert = `insert into "${schema}".note (tenant_id, id, body) values ('${key}', 1, 'rogue')`;
  const first = await meanwhile(
    'retention.home-dropped',
    () => leaving.superuser(database, insert),
    (fleet) => runRetention(fleet, { ids: [tenant.id] }),
  );
  expect(first.failed).toMatchObject([{ tenant: tenant.id, code: 'ROWS_LEFT' }]);
  expect(first.deleted).toEqual([]);
  await leaving.superuser(database, `delete from "${schema}".note where tenant_id = '${key}'`);
  expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id }]);
});

it('an application in an old transaction is waited for, and named', async () => {
  const tenant = await leaving.tenant('old-session', 'pool');
  await leaving.leave(tenant.id);
  await withClient(server.current.superuserUrl(tenant.database), async (client) => {
    await client.query('begin isolation level repeatable read');
    await client.query(`select count(*) from "${tenant.schema}".note`);
    const first = await leaving.run(tenant.id);
    expect(first.failed).toMatchObject([{ tenant: tenant.id, code: 'OLD_SESSIONS' }]);
    await client.query('rollback');
  });
  expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id }]);
});

it('no hold is placed or released, and no deletion begun, without an entry in the audit log', async () => {
  const tenant = await leaving.tenant('audited', 'pool', 10);
  const catalog = new URL(leaving.settings.catalogUrl).pathname.slice(1);
  const place = leaving.superuser(
    catalog,
    `insert into tenantctl_catalog.holds (id, tenant, reason, author) values ('h1', '${tenant.id}', 'x', 'y')`,
  );
  await expect(place).rejects.toMatchObject({ code: 'TC024' });
  await leaving.leave(tenant.id, { withoutExport: true });
  const begin = leaving.superuser(
    catalog,
    `update tenantctl_catalog.offboardings set state = 'purging', begun_at = now() where tenant = '${tenant.id}'`,
  );
  await expect(begin).rejects.toMatchObject({ code: 'TC024' });
  await leaving.run(tenant.id);
});

it('nothing is deleted before its day, by the clock of the catalog or by that of the home', async () => {
  const tenant = await leaving.tenant('early', 'pool', 10);
  await leaving.leave(tenant.id, { withoutExport: true, retainMs: 3_600_000 });
  const catalog = new URL(leaving.settings.catalogUrl).pathname.slice(1);
  const begin = leaving.superuser(
    catalog,
    `update tenantctl_catalog.offboardings set state = 'purging', begun_at = now() where tenant = '${tenant.id}'`,
  );
  await expect(begin).rejects.toMatchObject({ code: 'TC023' });
  const permit = leaving.superuser(
    tenant.database,
    `select tenantctl.permit_purge('${tenant.id}', '${tenant.schema}', now() + interval '1 minute')`,
  );
  await expect(permit).rejects.toMatchObject({ code: 'TC023' });
  await cancelOffboarding(leaving.fleet, tenant.id, { dryRun: false });
  const served = leaving.superuser(
    tenant.database,
    `select tenantctl.permit_purge('${tenant.id}', '${tenant.schema}', now() - interval '1 minute')`,
  );
  await expect(served).rejects.toMatchObject({ code: 'TC025' });
});

it('an application that goes on writing is refused throughout, and leaves nothing behind', async () => {
  const tenant = await leaving.tenant('stubborn', 'pool', 300);
  const { database, schema, key } = tenant;
  const codes = new Set<string>();
  let stopped = false;
  await withClient(leaving.application.url(database), async (client) => {
    const writing = (async () => {
      while (!stopped) {
        const insert = `begin; select set_config('app.tenant_id', '${key}', true), set_config('search_path', '${schema}', true), set_config('role', '${leaving.settings.tenancy.appRole}', true);
          insert into note (id, body) values (nextval('"${schema}".orders_id_seq') + 1000000, 'stubborn'); commit`;
        await client.query(insert).then(
          () => codes.add('written'),
          async (error: { code: string }) => {
            codes.add(error.code);
            await client.query('rollback');
          },
        );
      }
    })();
    await leaving.leave(tenant.id, { withoutExport: true });
    codes.clear();
    const { deleted } = await leaving.run(tenant.id);
    stopped = true;
    await writing;
    expect(deleted).toMatchObject([{ tenant: tenant.id }]);
  });
  expect(codes).not.toContain('written');
  expect(codes.size).toBeGreaterThan(0);
  expect((await leaving.rows(tenant))['note']).toBe(0);
});

it('hooks are told of a tenant that was deleted, and a failing one stops nothing', async () => {
  const folder = exportFolder();
  const told = path.join(folder, 'told');
  const other = await leavingFleet(server.current, {
    afterDelete: [['sh', '-c', `cat >> ${told}`], ['false']],
  });
  await other.tenant('told', 'schema', 5);
  await other.leave('told', { withoutExport: true });
  expect((await other.run('told')).deleted).toMatchObject([{ tenant: 'told' }]);
  expect(JSON.parse(readFileSync(told, 'utf8'))).toMatchObject({
    id: 'told',
    status: 'deleted',
    owner: null,
    hook: 'afterDelete',
  });
  expect(other.events).toContainEqual(expect.objectContaining({ type: 'notice', code: 'HOOK_FAILED' }));
});

it('the day is so many hours away, whatever the clocks of a time zone do meanwhile', async () => {
  const tenant = await leaving.tenant('summer', 'pool', 10);
  const catalog = new URL(leaving.settings.catalogUrl).pathname.slice(1);
  await leaving.superuser('postgres', `alter database "${catalog}" set timezone = 'Europe/Berlin'`);
  const half = 183 * 86_400_000;
  const other = leaving.another();
  await offboardTenant(other, { id: tenant.id, retainMs: half, withoutExport: true }, { dryRun: false });
  const [row] = await leaving.superuser<{ ms: number }>(
    catalog,
    `select extract(epoch from due_at - requested_at)::float8 * 1000 as ms from tenantctl_catalog.offboardings where tenant = '${tenant.id}'`,
  );
  expect(Math.abs((row?.ms ?? 0) - half)).toBeLessThan(1_000);
});

it('a tenant whose rows nobody can delete whole is not begun, and each obstacle has its remedy', async () => {
  const tenant = await leaving.tenant('obstructed', 'pool', 20);
  const { database, schema, key } = tenant;
  await leaving.leave(tenant.id, { withoutExport: true });
  await leaving.superuser(
    database,
    `create table "${schema}".attachment (id bigint primary key, tenant_id_of uuid, customer_id bigint,
       foreign key (tenant_id_of, customer_id) references "${schema}".customer (tenant_id, id));
     create schema elsewhere; create table elsewhere.copy (tenant_id uuid, what text); insert into elsewhere.copy values ('${key}', 'x');`,
  );
  expect((await leaving.run(tenant.id)).failed).toMatchObject([{ code: 'PURGE_OBSTACLES' }]);
  await leaving.superuser(database, `drop table "${schema}".attachment`);
  expect((await leaving.run(tenant.id)).failed).toMatchObject([{ code: 'TABLES_UNREADABLE' }]);
  await leaving.superuser(
    database,
    'grant usage on schema elsewhere to public; grant select on elsewhere.copy to public',
  );
  expect((await leaving.run(tenant.id)).failed).toMatchObject([{ code: 'ROWS_ELSEWHERE' }]);
  expect((await leaving.rows(tenant))['customer']).toBe(20);
  await leaving.superuser(database, `drop schema elsewhere cascade`);
  expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id }]);
});

it('rows of other tenants that would go with it, and views that would be dropped with it, are obstacles', async () => {
  const [tenant, other] = [
    await leaving.tenant('referred', 'pool', 5),
    await leaving.tenant('referring', 'pool', 5),
  ];
  const { database, schema } = tenant;
  await leaving.leave(tenant.id, { withoutExport: true });
  await leaving.superuser(
    database,
    `create table "${schema}".badge (id bigint primary key, tenant_id uuid not null);
     create table "${schema}".wearer (tenant_id uuid not null, id bigint, badge bigint references "${schema}".badge on delete cascade, primary key (tenant_id, id));
     alter table "${schema}".badge owner to tenantctl_admin; alter table "${schema}".wearer owner to tenantctl_admin;
     insert into "${schema}".badge values (1, '${tenant.key}'); insert into "${schema}".wearer values ('${other.key}', 1, 1);`,
  );
  const { failed } = await leaving.run(tenant.id);
  expect(failed).toMatchObject([{ code: 'PURGE_OBSTACLES' }]);
  expect(failed[0]?.message).toContain('rows of other tenants refer to rows of this one in badge');
  await leaving.superuser(database, `drop table "${schema}".wearer, "${schema}".badge`);
  expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id }]);

  const own = await leaving.tenant('viewed', 'schema', 5);
  await leaving.leave(own.id, { withoutExport: true });
  await leaving.superuser(own.database, `create view public.spy as select * from "${own.schema}".customer`);
  expect((await leaving.run(own.id)).failed).toMatchObject([{ code: 'PURGE_OBSTACLES' }]);
  await leaving.superuser(own.database, 'drop view public.spy');
  expect((await leaving.run(own.id)).deleted).toMatchObject([{ tenant: own.id }]);
});

it('partitions of its own, rows reached by a reference alone, circles and filled views are seen to', async () => {
  const tenant = await leaving.tenant('shapes', 'pool', 20);
  const { database, schema, key } = tenant;
  const admin = new URL(leaving.settings.clusters['main']?.url ?? '').username;
  await leaving.superuser(
    database,
    `set search_path = "${schema}"; set role "${admin}";
     create table detail (id bigint primary key, tenant_id_of uuid not null, customer_id bigint not null,
       foreign key (tenant_id_of, customer_id) references customer (tenant_id, id));
     create table tree (tenant_id uuid not null, id bigint not null, parent bigint, primary key (tenant_id, id),
       foreign key (tenant_id, parent) references tree (tenant_id, id));
     create table log (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id)) partition by list (tenant_id);
     create table log_own partition of log for values in ('${key}');
     create table log_rest partition of log default;
     create materialized view totals as select tenant_id, count(*) as n from customer group by 1;
     reset role;
     insert into detail select n, '${key}', n from generate_series(1, 20) n;
     insert into tree select '${key}', n, nullif(n - 1, 0) from generate_series(1, 500) n;
     insert into log select '${key}', n from generate_series(1, 50) n;`,
  );
  await leaving.superuser(database, `refresh materialized view "${schema}".totals`);
  await leaving.leave(tenant.id, { withoutExport: true });
  const { deleted, failed } = await leaving.run(tenant.id);
  expect(failed).toEqual([]);
  expect(deleted).toMatchObject([{ tenant: tenant.id }]);
  const left = await leaving.superuser<{ n: number }>(
    database,
    `select count(*)::int as n from "${schema}".detail union all select count(*)::int from "${schema}".tree
     union all select count(*)::int from "${schema}".totals where tenant_id = '${key}'
     union all select count(*)::int from pg_class where relname = 'log_own'`,
  );
  expect(left.map(({ n }) => n)).toEqual([0, 0, 0, 0]);
  const document = await leaving.fleet.catalog((connection) => findCertificate(connection, tenant.id));
  expect(document?.certificate.objects.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['partition', 'materialized view', 'table']),
  );
  await leaving.superuser(
    database,
    `drop materialized view "${schema}".totals; drop table "${schema}".detail, "${schema}".tree, "${schema}".log`,
  );
});

it('a tenant that has hardly a row is deleted as well', async () => {
  const tenant = await leaving.tenant('empty', 'schema', 1);
  await leaving.superuser(
    tenant.database,
    `truncate "${tenant.schema}".customer cascade; truncate "${tenant.schema}".note, "${tenant.schema}".event, "${tenant.schema}".journal`,
  );
  await leaving.leave(tenant.id);
  expect((await leaving.run(tenant.id)).deleted).toMatchObject([{ tenant: tenant.id, rows: 2 }]);
});
