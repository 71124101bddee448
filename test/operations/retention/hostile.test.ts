import { beforeAll, describe, expect, it } from 'vitest';
import { isTenantctlError } from '../../../src/core/errors.js';
import type { FaultPoint } from '../../../src/core/faults.js';
import type { Tenant } from '../../../src/core/tenant.js';
import { findCertificate } from '../../../src/engine/catalog/certificates.js';
import { Fleet } from '../../../src/engine/context.js';
import { scanDatabase } from '../../../src/engine/retention/rescan.js';
import { cancelOffboarding } from '../../../src/operations/offboard/cancel.js';
import { movesComplete, movesUndo } from '../../../src/operations/moves/verbs.js';
import { placeHold, releaseHold } from '../../../src/operations/retention/hold.js';
import { runRetention } from '../../../src/operations/retention/run.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { useServer, withClient } from '../../support/server.js';
import { ZOO } from '../moves/zoo.js';
import { type LeavingFleet, TIERS, leavingFleet } from './leaving.js';

const server = useServer({ max_prepared_transactions: '5' });
let leaving: LeavingFleet;
let admin: string;

beforeAll(async () => {
  leaving = await leavingFleet(server.current, { retention: { purgeBatch: 50 } });
  admin = new URL(leaving.settings.clusters['main']?.url ?? '').username;
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return isTenantctlError(error) ? error.code : String(error);
  }
}

/** A tenant that is due, with nothing exported. */
async function due(id: string, tier: 'pool' | 'schema' | 'database', rows = 20): Promise<Tenant> {
  const tenant = await leaving.tenant(id, tier, rows);
  await leaving.leave(id, { withoutExport: true });
  return tenant;
}

/** Statements as the administrator, who sees every tenant, in the schema of a tenant. */
function byAdmin({ database, schema }: Tenant, text: string): Promise<Record<string, unknown>[]> {
  return leaving.superuser(
    database,
    `set session authorization "${admin}"; set tenantctl.scope = 'fleet'; set search_path = "${schema}"; ${text}`,
  );
}

/** Another process that dies at a point. */
async function dyingAt<T>(point: FaultPoint, work: (fleet: Fleet) => Promise<T>): Promise<void> {
  const { settings, fleet } = leaving;
  const reach = (reached: FaultPoint): void => {
    if (reached === point) throw new Error('killed');
  };
  const process = new Fleet(settings, { ...fleet.options, reach });
  await expect(work(process)).rejects.toThrow('killed');
  await process.close();
}

async function as<T>(actor: string, reason: string, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  const { settings, fleet } = leaving;
  const other = new Fleet(settings, { ...fleet.options, actor: { actor, reason, ticket: null } });
  try {
    return await work(other);
  } finally {
    await other.close();
  }
}

const gone = (tenant: Tenant) => [expect.objectContaining({ tenant: tenant.id })];

it('a tenant that is half brought back is not begun to be deleted, and can be brought back', async () => {
  const tenant = await due('half-back', 'pool');
  await dyingAt('offboard.home-opened', (fleet) => cancelOffboarding(fleet, tenant.id, { dryRun: false }));
  expect((await leaving.run(tenant.id)).failed).toMatchObject([{ code: 'HOME_OPEN' }]);
  expect(await codeOf(cancelOffboarding(leaving.fleet, tenant.id, { dryRun: false }))).toBe('no error');
  expect(await leaving.show(tenant.id)).toMatchObject({ status: 'active' });
});

describe.each(TIERS)('in tier %s', (tier) => {
  it('a materialized view with rows of the tenant goes with them', async () => {
    const tenant = await leaving.tenant(`seen-${tier}`, tier, 20);
    await byAdmin(
      tenant,
      `create materialized view totals_${tier} as select tenant_id, count(*) as n from customer group by 1`,
    );
    await leaving.leave(tenant.id, { withoutExport: true });
    const { deleted, failed } = await leaving.run(tenant.id);
    expect(failed).toEqual([]);
    expect(deleted).toEqual(gone(tenant));
    if (tier === 'pool') await byAdmin(tenant, `drop materialized view totals_${tier}`);
  });

  it('a home that somebody has dropped by hand is called deleted', async () => {
    const tenant = await due(`dropped-${tier}`, tier);
    const { database, schema, key } = tenant;
    if (tier === 'database') await leaving.superuser('postgres', `drop database "${database}" with (force)`);
    else if (tier === 'schema')
      await leaving.superuser(
        database,
        `drop schema "${schema}" cascade; delete from tenantctl.placement where key = '${key}'`,
      );
    else
      await leaving.superuser(
        database,
        `set search_path = "${schema}"; delete from orders where tenant_id = '${key}'; delete from customer where tenant_id = '${key}';
         delete from note where tenant_id = '${key}'; delete from event where tenant_id = '${key}'; delete from tenantctl.placement where key = '${key}'`,
      );
    const { deleted, failed } = await leaving.run(tenant.id);
    expect(failed).toEqual([]);
    expect(deleted).toEqual(gone(tenant));
  });
});

it('a column of another tenant whose type is this one’s keeps its schema from being dropped', async () => {
  const tenant = await leaving.tenant('typed', 'schema', 5);
  const other = await leaving.tenant('borrows', 'schema', 5);
  await leaving.superuser(
    other.database,
    `alter table "${other.schema}".note add column feeling "${tenant.schema}".mood default 'sad'`,
  );
  await leaving.leave(tenant.id, { withoutExport: true });
  const { failed } = await leaving.run(tenant.id);
  expect(failed).toMatchObject([{ code: 'PURGE_OBSTACLES' }]);
  const columns = await leaving.superuser<{ n: number }>(
    other.database,
    `select count(*)::int as n from information_schema.columns where table_schema = '${other.schema}' and column_name = 'feeling'`,
  );
  expect(columns).toEqual([{ n: 1 }]);
  await leaving.superuser(other.database, `alter table "${other.schema}".note drop column feeling`);
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
});

it('the old copy of a move is not dropped with a column of another tenant', async () => {
  const tenant = await leaving.tenant('lends', 'schema', 5);
  const other = await leaving.tenant('lent', 'schema', 5);
  await leaving.promote({ id: tenant.id, to: 'database', graceMs: 3_600_000 });
  await leaving.superuser(
    other.database,
    `alter table "${other.schema}".note add column feeling "${tenant.schema}".mood default 'sad'`,
  );
  expect(await codeOf(movesComplete(leaving.fleet, tenant.id, { dryRun: false }))).toBe('DROPS_TOO_MUCH');
  await leaving.superuser(other.database, `alter table "${other.schema}".note drop column feeling`);
  expect(await codeOf(movesComplete(leaving.fleet, tenant.id, { dryRun: false }))).toBe('no error');
});

it('rows that a trigger keeps are named, and the same command goes on once it is gone', async () => {
  const tenant = await due('soft', 'pool');
  await byAdmin(
    tenant,
    `create function kept() returns trigger language plpgsql as $$ begin return null; end $$;
     create trigger soft before delete on note for each row execute function kept()`,
  );
  const { failed } = await leaving.run(tenant.id);
  expect(failed).toMatchObject([{ code: 'ROWS_STAY' }]);
  expect(failed[0]?.message).toContain('note');
  await byAdmin(tenant, 'drop trigger soft on note');
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
});

it('rows that came after the home was emptied are deleted by the same command again', async () => {
  const tenant = await due('afterwards', 'pool');
  const { settings, fleet } = leaving;
  const reach = (reached: FaultPoint): void => {
    if (reached === 'retention.home-dropped') throw new Error('killed');
  };
  const process = new Fleet(settings, { ...fleet.options, reach });
  expect((await runRetention(process, { ids: [tenant.id] })).failed).toHaveLength(1);
  await process.close();
  const { database, schema, key } = tenant;
  await leaving.superuser(
    database,
    `insert into "${schema}".note (tenant_id, id, body) values ('${key}', 1, 'rogue')`,
  );
  const { failed, deleted } = await leaving.run(tenant.id);
  expect(failed).toEqual([]);
  expect(deleted).toEqual(gone(tenant));
  expect((await leaving.rows(tenant))['note']).toBe(0);
});

it('tables that refer to each other in a circle are emptied', async () => {
  const tenant = await leaving.tenant('circle', 'pool', 5);
  await byAdmin(
    tenant,
    `create table team (tenant_id uuid not null, id int, lead int not null, primary key (tenant_id, id));
     create table person (tenant_id uuid not null, id int, team int not null, primary key (tenant_id, id), foreign key (tenant_id, team) references team);
     alter table team add foreign key (tenant_id, lead) references person deferrable;
     begin; set constraints all deferred; insert into team select '${tenant.key}', n, n from generate_series(1, 120) n;
     insert into person select '${tenant.key}', n, n from generate_series(1, 120) n; commit;`,
  );
  await leaving.leave(tenant.id, { withoutExport: true });
  const { deleted, failed } = await leaving.run(tenant.id);
  expect(failed).toEqual([]);
  expect(deleted).toEqual(gone(tenant));
  await byAdmin(tenant, 'drop table team, person cascade');
});

it('rows whose parent of another batch takes their tenant column with it are emptied', async () => {
  const tenant = await leaving.tenant('nulled', 'pool', 5);
  await byAdmin(
    tenant,
    `create table branch (tenant_id uuid not null, id int, parent int, primary key (tenant_id, id),
       foreign key (tenant_id, parent) references branch on delete set null);
     insert into branch select '${tenant.key}', n, nullif(n - 1, 0) from generate_series(1, 120) n`,
  );
  await leaving.leave(tenant.id, { withoutExport: true });
  const { deleted, failed } = await leaving.run(tenant.id);
  expect(failed).toEqual([]);
  expect(deleted).toEqual(gone(tenant));
  await byAdmin(tenant, 'drop table branch');
});

it('what a migration brings between two calls is looked at again before the next row goes', async () => {
  const tenant = await due('again', 'pool', 300);
  const other = await leaving.tenant('again-other', 'pool', 5);
  const first = await runRetention(leaving.fleet, { ids: [tenant.id], maxRows: 1 });
  expect(first.left).toEqual([tenant.id]);
  await byAdmin(
    tenant,
    `create table badge (id bigint primary key, tenant_id uuid not null);
     create table wearer (tenant_id uuid not null, id bigint, badge bigint references badge on delete cascade, primary key (tenant_id, id));
     insert into badge values (1, '${tenant.key}'); insert into wearer values ('${other.key}', 1, 1)`,
  );
  expect((await leaving.run(tenant.id)).failed).toMatchObject([{ code: 'PURGE_OBSTACLES' }]);
  const left = await leaving.superuser(
    tenant.database,
    `select count(*)::int as n from "${tenant.schema}".wearer`,
  );
  expect(left).toEqual([{ n: 1 }]);
  await byAdmin(tenant, 'drop table wearer, badge');
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
});

it('a row that belongs to two tenants by two references is an obstacle', async () => {
  const tenant = await leaving.tenant('two-sided', 'pool', 5);
  const other = await leaving.tenant('two-sided-other', 'pool', 5);
  await byAdmin(
    tenant,
    `create table purse (id bigint primary key, tenant_id uuid not null);
     create table transfer (id bigint primary key, a bigint not null references purse, b bigint not null references purse);
     insert into purse values (1, '${tenant.key}'), (2, '${other.key}'); insert into transfer values (1, 1, 2)`,
  );
  await leaving.leave(tenant.id, { withoutExport: true });
  const { failed } = await leaving.run(tenant.id);
  expect(failed).toMatchObject([{ code: 'PURGE_OBSTACLES' }]);
  await byAdmin(tenant, 'drop table transfer, purse');
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
});

it('a table without the tenant column is in doubt when single columns of it may be written', async () => {
  const tenant = await leaving.tenant('columns', 'pool', 5);
  await byAdmin(
    tenant,
    `create table address (id bigint primary key, street text);
     grant insert (id, street) on address to "${leaving.settings.tenancy.appRole}"`,
  );
  await leaving.leave(tenant.id, { withoutExport: true });
  expect((await leaving.run(tenant.id)).failed).toMatchObject([{ code: 'PURGE_OBSTACLES' }]);
  await byAdmin(tenant, 'drop table address');
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
});

it('large objects of a schema tenant go with its role', async () => {
  const tenant = await leaving.tenant('blobs', 'schema', 5);
  await leaving.superuser(tenant.database, `set role "${tenant.schema}"; select lo_from_bytea(0, 'secret')`);
  await leaving.leave(tenant.id, { withoutExport: true });
  const { deleted, failed } = await leaving.run(tenant.id);
  expect(failed).toEqual([]);
  expect(deleted).toEqual(gone(tenant));
  expect(
    await leaving.superuser(tenant.database, 'select count(*)::int as n from pg_largeobject_metadata'),
  ).toEqual([{ n: 0 }]);
});

it('a role with rights outside its home is named before anything is deleted', async () => {
  const tenant = await leaving.tenant('granted', 'schema', 5);
  await leaving.superuser(
    tenant.database,
    `create table public.holidays (day date); grant select on public.holidays to "${tenant.schema}"`,
  );
  await leaving.leave(tenant.id, { withoutExport: true });
  const { failed } = await leaving.run(tenant.id);
  expect(failed).toMatchObject([{ code: 'PURGE_OBSTACLES' }]);
  expect(failed[0]?.message).toContain('public.holidays');
  await leaving.superuser(tenant.database, 'drop table public.holidays');
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
});

it('a publication of all tables is not said to be dropped with a schema', async () => {
  const tenant = await leaving.tenant('published', 'schema', 5);
  await leaving.superuser(tenant.database, 'create publication everything for all tables');
  await leaving.leave(tenant.id, { withoutExport: true });
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
  const document = await leaving.fleet.catalog((connection) => findCertificate(connection, tenant.id));
  expect(document?.certificate.objects.map(({ kind }) => kind)).not.toContain('publication');
  await leaving.superuser(tenant.database, 'drop publication everything');
});

it('a partition that could not be dropped is not said to be', async () => {
  const tenant = await leaving.tenant('parted', 'pool', 5);
  await byAdmin(
    tenant,
    `create table shelf (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id)) partition by list (tenant_id);
     create table shelf_own partition of shelf for values in ('${tenant.key}');
     create view shelf_view as select * from shelf_own;
     insert into shelf select '${tenant.key}', n from generate_series(1, 5) n`,
  );
  await leaving.leave(tenant.id, { withoutExport: true });
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
  const document = await leaving.fleet.catalog((connection) => findCertificate(connection, tenant.id));
  expect(document?.certificate.objects.find(({ kind }) => kind === 'partition')).toMatchObject({
    action: 'rows deleted',
    rowsBefore: 5,
    rowsAfter: 0,
  });
  await byAdmin(tenant, 'drop table shelf cascade');
});

it('a prepared transaction that may still write rows is waited for, and named', async () => {
  const tenant = await due('prepared', 'pool', 5);
  const { database, schema, key } = tenant;
  await leaving.superuser(
    database,
    `begin; insert into "${schema}".note (tenant_id, id, body) values ('${key}', 777, 'later'); prepare transaction 'sleeper'`,
  );
  const { failed } = await leaving.run(tenant.id);
  expect(failed).toMatchObject([{ code: 'OLD_SESSIONS' }]);
  expect(failed[0]?.message).toContain('sleeper');
  await leaving.superuser(database, "commit prepared 'sleeper'");
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
  expect((await leaving.rows(tenant))['note']).toBe(0);
});

it('a move is not undone while its tenant is on hold: the old copy has what was deleted since', async () => {
  const tenant = await leaving.tenant('undoing', 'pool', 20);
  await leaving.promote({ id: tenant.id, to: 'schema', graceMs: 3_600_000 });
  await as('legal', 'case', (fleet) => placeHold(fleet, tenant.id, { dryRun: false }));
  expect(await codeOf(movesUndo(leaving.fleet, tenant.id, { dryRun: false }))).toBe('TENANT_ON_HOLD');
  await as('legal', 'over', (fleet) => releaseHold(fleet, tenant.id, { dryRun: false }));
  expect(await codeOf(movesUndo(leaving.fleet, tenant.id, { dryRun: false }))).toBe('no error');
});

it('a hold of which the catalog knows nothing is not released in passing', async () => {
  const tenant = await leaving.tenant('unknown-hold', 'pool', 5);
  await leaving.superuser(
    tenant.database,
    `update tenantctl.placement set hold = '[{"hold": "x"}]' where tenant = '${tenant.id}'`,
  );
  const release = as('legal', 'over', (fleet) => releaseHold(fleet, tenant.id, { dryRun: false }));
  expect(await codeOf(release)).toBe('HOLD_UNKNOWN');
  const held = await leaving.superuser(
    tenant.database,
    `select hold is not null as held from tenantctl.placement where tenant = '${tenant.id}'`,
  );
  expect(held).toEqual([{ held: true }]);
});

it('the old copy of a move is kept while a home knows a hold that the catalog has lost', async () => {
  const tenant = await leaving.tenant('lost-hold', 'pool', 5);
  await leaving.promote({ id: tenant.id, to: 'schema', graceMs: 3_600_000 });
  const { database, schema } = await leaving.show(tenant.id);
  const home = `tenantctl.placement set hold = $$[{"hold": "lost"}]$$ where tenant = '${tenant.id}' and schema = '${schema}'`;
  await leaving.superuser(database, `update ${home}`);
  expect(await codeOf(movesComplete(leaving.fleet, tenant.id, { dryRun: false }))).toBe('HOLD_UNKNOWN');
  expect((await leaving.rows(tenant))['customer']).toBe(5);
  await leaving.superuser(database, `update ${home.replace(/\$\$.*\$\$/, 'null')}`);
  expect(await codeOf(movesComplete(leaving.fleet, tenant.id, { dryRun: false }))).toBe('no error');
});

it('the home keeps a hold that is placed while another one is released', async () => {
  const tenant = await leaving.tenant('crossing', 'pool', 5);
  await as('legal', 'one', (fleet) => placeHold(fleet, tenant.id, { dryRun: false }));
  const { settings, fleet } = leaving;
  const releasing = new Fleet(settings, {
    ...fleet.options,
    actor: { actor: 'legal', reason: 'one is over', ticket: null },
  });
  const managed = releasing.managed.bind(releasing);
  let [calls, placed]: [number, Promise<unknown> | undefined] = [0, undefined];
  releasing.managed = async (cluster, database, work) => {
    calls += 1;
    // First it asks which holds are there, then it tells which are left.
    if (calls < 2) return managed(cluster, database, work);
    placed ??= as('other', 'two', (another) => placeHold(another, tenant.id, { dryRun: false }));
    await Promise.race([placed, waitsForTenants()]);
    return managed(cluster, database, work);
  };
  await releaseHold(releasing, tenant.id, { dryRun: false });
  await placed;
  await releasing.close();
  const held = await leaving.superuser(
    tenant.database,
    `select hold is not null as held from tenantctl.placement where tenant = '${tenant.id}'`,
  );
  expect(held).toEqual([{ held: true }]);
});

/** Until a session of the catalog waits for a lock. */
async function waitsForTenants(): Promise<void> {
  const catalog = new URL(leaving.settings.catalogUrl).pathname.slice(1);
  await withClient(server.current.superuserUrl(catalog), async (client) => {
    for (;;) {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (rowCount !== 0) return;
    }
  });
}

it('the reason of a hold does not stand in what a deletion says', async () => {
  const tenant = await due('secret', 'pool', 5);
  await as('legal', 'tax fraud of Mr Smith', (fleet) => placeHold(fleet, tenant.id, { dryRun: false }));
  const refused = await leaving.run(tenant.id).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'TENANT_ON_HOLD' });
  expect(JSON.stringify([refused, String(refused)])).not.toContain('Smith');
  expect(JSON.stringify(await leaving.run())).not.toContain('Smith');
});

it('a tenant that is named twice is deleted once', async () => {
  const tenant = await due('twice', 'pool', 5);
  expect(await leaving.run(tenant.id, tenant.id)).toMatchObject({ deleted: gone(tenant), failed: [] });
});

it('more than --max that are named delete nothing either', async () => {
  const ids = ['named-1', 'named-2'];
  for (const id of ids) await due(id, 'pool', 2);
  expect(await codeOf(runRetention(leaving.fleet, { ids, max: 1 }))).toBe('TOO_MANY_DUE');
  expect((await runRetention(leaving.fleet, { ids, max: 2 })).deleted).toHaveLength(2);
});

it('a tenant that another call deletes meanwhile keeps nobody from being deleted', async () => {
  const [one, two] = [await due('first', 'pool', 2), await due('second', 'pool', 2)];
  const other = leaving.another();
  const catalog = other.catalog.bind(other);
  let calls = 0;
  other.catalog = async (work) => {
    const result = await catalog(work);
    calls += 1;
    if (calls === 1) await leaving.run(one.id);
    return result;
  };
  const { deleted, failed } = await runRetention(other, { ids: [] });
  expect(failed).toEqual([]);
  expect(deleted).toEqual(gone(two));
});

it('a table that disappears while it is looked at does not end the look', async () => {
  const { database, key } = await leaving.tenant('vanishing', 'pool', 5);
  await leaving.superuser(
    database,
    'create table public.passing (tenant_id uuid); grant select on public.passing to public',
  );
  await withClient(server.current.superuserUrl(database), async (client) => {
    await client.query('begin; drop table public.passing');
    const looking = leaving.fleet
      .connections('main')
      .use(database, (session) => scanDatabase(session, 'tenant_id', 'uuid', [key]));
    for (let waiting = 0; waiting === 0;) {
      const { rows } = await client.query<{ n: number }>(
        'select count(*)::int as n from pg_locks where not granted',
      );
      waiting = rows[0]?.n ?? 0;
    }
    await client.query('commit');
    expect((await looking).found.map(({ table }) => table)).toContain('customer');
  });
});

it('a tenant whose turn has not come when the budget is spent can be brought back', async () => {
  const [first, second] = [await due('turn-1', 'pool', 50), await due('turn-2', 'pool', 5)];
  const { left } = await runRetention(leaving.fleet, { ids: [first.id, second.id], maxRows: 1 });
  expect(left).toEqual([first.id, second.id]);
  expect(await codeOf(cancelOffboarding(leaving.fleet, first.id, { dryRun: false }))).toBe('DELETION_BEGUN');
  expect(await codeOf(cancelOffboarding(leaving.fleet, second.id, { dryRun: false }))).toBe('no error');
  expect((await leaving.run(first.id)).deleted).toEqual(gone(first));
  expect((await leaving.rows(second))['customer']).toBe(5);
});

it('a trigger that fails is named with its table and a next step', async () => {
  const tenant = await due('failing', 'pool', 5);
  await byAdmin(
    tenant,
    `create function fails() returns trigger language plpgsql as $$ begin perform current_setting('app.not_set'); return old; end $$;
     create trigger fails before delete on note for each row execute function fails()`,
  );
  const { failed } = await leaving.run(tenant.id);
  expect(failed).toMatchObject([{ code: 'ROWS_NOT_DELETED', hint: expect.stringContaining('trigger') }]);
  expect(failed[0]?.message).toContain('note');
  await byAdmin(tenant, 'drop trigger fails on note');
  expect((await leaving.run(tenant.id)).deleted).toEqual(gone(tenant));
});

it('names that need quotes, a thousand partitions and a table without a key are no obstacle', async () => {
  const tenant = await leaving.tenant('odd-names', 'pool', 5);
  const other = await leaving.tenant('odd-names-other', 'pool', 5);
  await byAdmin(
    tenant,
    `create table "O'Brien ""x"".y" ("n" int, "place" text, "part" text, tenant_id uuid not null);
     create table pg_class (tenant_id uuid not null, id int);
     create table tenantctl_doomed (tenant_id uuid not null, n int);
     create table "Many" (tenant_id uuid not null, id int not null) partition by range (id);
     do $$ begin for i in 0..999 loop execute format('create table %I partition of "Many" for values from (%s) to (%s)', 'Many ' || i, i, i + 1); end loop; end $$;
     insert into "O'Brien ""x"".y" select n, 'p', 'q', k from generate_series(1, 120) n, (values ('${tenant.key}'::uuid), ('${other.key}')) k (k);
     insert into app.pg_class select k, n from generate_series(1, 120) n, (values ('${tenant.key}'::uuid), ('${other.key}')) k (k);
     insert into tenantctl_doomed select k, n from generate_series(1, 120) n, (values ('${tenant.key}'::uuid), ('${other.key}')) k (k);
     insert into "Many" select k, n from generate_series(0, 999) n, (values ('${tenant.key}'::uuid), ('${other.key}')) k (k);`,
  );
  const before = await leaving.others(tenant);
  await leaving.leave(tenant.id, { withoutExport: true });
  const { deleted, failed } = await leaving.run(tenant.id);
  expect(failed).toEqual([]);
  expect(deleted).toEqual(gone(tenant));
  expect(await leaving.others(tenant)).toBe(before);
  expect(before).toContain('Many');
  await byAdmin(tenant, `drop table "O'Brien ""x"".y", app.pg_class, tenantctl_doomed, "Many"`);
});

it('tables in a circle keep the old copy of a move from nothing', async () => {
  const circle = `create table crew (tenant_id uuid not null, id int, lead int, primary key (tenant_id, id));
    create table mate (tenant_id uuid not null, id int, crew int not null, primary key (tenant_id, id), foreign key (tenant_id, crew) references crew (tenant_id, id));
    alter table crew add foreign key (tenant_id, lead) references mate (tenant_id, id) deferrable;`;
  const other = await leavingFleet(server.current, { migrations: directoryOf(numbered(...ZOO, circle)) });
  const tenant = await other.tenant('circling', 'pool', 5);
  const { database, schema, key } = tenant;
  await other.superuser(
    database,
    `set search_path = "${schema}"; begin; set constraints all deferred;
     insert into crew select '${key}', n, n from generate_series(1, 20) n;
     insert into mate select '${key}', n, n from generate_series(1, 20) n; commit`,
  );
  await other.promote({ id: tenant.id, to: 'schema', graceMs: 3_600_000 });
  expect(await codeOf(movesComplete(other.fleet, tenant.id, { dryRun: false }))).toBe('no error');
  const left = await other.superuser(database, `select count(*)::int as n from "${schema}".crew`);
  expect(left).toEqual([{ n: 0 }]);
});
