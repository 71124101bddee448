import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/core/finding.js';
import { OBSERVED_RULES } from '../../../src/engine/isolation/registry.js';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { query, useServer } from '../../support/server.js';
import { type IsolatedFleet, isolatedFleet } from './isolated-fleet.js';

const server = useServer();

let fleets = 0;

/** Fleets of one server do not meet: their tenants have other roles and databases. */
function observing(): Promise<IsolatedFleet> {
  fleets += 1;
  const names = { schema: `t${fleets}_{id}`, database: `d${fleets}_{id}` };
  return isolatedFleet(server.current, { tenancy: { rls: 'observe', names }, seed: null });
}

const isOurs = ({ where }: Finding) => /\.observed_|observed_turnover|\.app\.\*$/.test(where);

const CLEAN = `drop schema if exists observed_extra cascade;
do $$ declare t record; begin
  for t in select relname from pg_class where relnamespace = 'app'::regnamespace and relname like 'observed%' and relkind in ('r', 'p')
  loop execute format('drop table if exists app.%I cascade', t.relname); end loop; end $$;`;

describe('a pool that observes', () => {
  test('each rule finds its bad example and not its good one', async () => {
    const made = await observing();
    for (const { rule } of OBSERVED_RULES) {
      await made.run('pool', rule.good);
      const good = (await made.findings()).filter((finding) => finding.rule === rule.name && isOurs(finding));
      expect(good, `${rule.name}, good`).toEqual([]);
      await made.run('pool', CLEAN);
      await made.run('pool', rule.bad);
      const bad = (await made.findings()).filter((finding) => finding.rule === rule.name && isOurs(finding));
      expect(bad.length, `${rule.name}, bad`).toBeGreaterThan(0);
      await made.run('pool', CLEAN);
    }
  });

  test('fails no check only because it observes; a table that is listed and open does', async () => {
    const made = await observing();
    await made.run('pool', OPEN);
    const { findings, coverage } = await checkIsolation(made.fleet);
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(coverage.notProbed.map(({ where }) => where)).toContain(
      `main/${made.databaseOf('pool')}.app.memo`,
    );
    const [pool] = Object.values(made.settings.clusters['main']?.pools ?? {});
    if (pool !== undefined) pool.enforce = ['memo'];
    const again = await checkIsolation(made.fleet);
    const errors = again.findings.filter(({ level }) => level === 'error');
    expect(errors.map(({ rule, where }) => `${rule} ${where.replace(/^.*?\./, '')}`)).toEqual(
      expect.arrayContaining(['rls-off app.memo', 'foreign-rows-read app.memo']),
    );
    expect(new Set(errors.map(({ where }) => where.replace(/^.*?\./, '')))).toEqual(new Set(['app.memo']));
  });

  test('a child gets the tenant column by the statements of its finding, over two foreign keys, in batches', async () => {
    const made = await observing();
    await made.run('pool', CHILDREN);
    const before = await findingOf(made, 'observed-child', 'observed_part');
    expect(before?.facts['path']).toEqual(['app.observed_part', 'app.observed_line', 'app.observed_order']);
    const [add, fill, ...rest] = before?.facts.sql ?? [];
    const send = (text = '') => query(server.current.adminUrl(made.databaseOf('pool')), text);
    await send(add);
    for (let batch = 0; batch < 3; batch += 1) await send(fill);
    for (const statement of rest) await send(statement);
    const rows = await send(
      'select tenant_id, count(*)::int as count from app.observed_part group by 1 order by 1',
    );
    expect(rows).toEqual([
      { tenant_id: '00000000-0000-4000-8000-000000000001', count: 10_500 },
      { tenant_id: '00000000-0000-4000-8000-000000000002', count: 10_500 },
    ]);
    expect(await findingOf(made, 'observed-child', 'observed_part')).toBeUndefined();
    const table = await findingOf(made, 'observed-table', 'observed_part');
    expect(table?.facts['changes']).not.toContain('set tenant_id NOT NULL');
  });

  test('rows that nobody would see are counted: without a tenant, and of one that is not known here', async () => {
    const made = await observing();
    const [known] = await query<{ key: string }>(
      server.current.superuserUrl(made.databaseOf('pool')),
      `select key from tenantctl.placement where tier = 'pool' limit 1`,
    );
    await made.run(
      'pool',
      `create table observed_row (tenant_id uuid, n int);
       insert into observed_row values (null, 1), (null, 2), ('${known?.key}', 3), (gen_random_uuid(), 4), (gen_random_uuid(), 5);`,
    );
    expect(await findingOf(made, 'observed-rows', 'observed_row')).toMatchObject({
      level: 'warning',
      facts: { withoutTenant: 2, unknownTenant: 2, unknownKeys: 2 },
    });
  });
});

const findingOf = async (made: IsolatedFleet, rule: string, table: string) =>
  (await made.findings()).find((finding) => finding.rule === rule && finding.where.endsWith(`.${table}`));

/** Everything that a pool has which was never made to hold tenants apart. */
const OPEN = `
  create table memo (tenant_id uuid, id int primary key, body text);
  create table memo_line (id int primary key, memo int references memo);
  create view memo_list as select * from memo;
  create materialized view memo_count as select tenant_id, count(*) from memo group by 1;
  create function memo_total() returns bigint language sql security definer as 'select count(*) from app.memo';
  grant all on memo, memo_line to app_user; grant select on memo_list, memo_count to app_user;`;

const CHILDREN = `
  create table observed_order (tenant_id uuid not null, id int primary key);
  create table observed_line (id int primary key, order_id int not null references observed_order);
  create table observed_part (id int generated always as identity primary key, line_id int not null references observed_line);
  insert into observed_order select ('00000000-0000-4000-8000-00000000000' || n)::uuid, n from generate_series(1, 2) n;
  insert into observed_line select n, n from generate_series(1, 2) n;
  insert into observed_part (line_id) select 1 + n % 2 from generate_series(1, 21000) n;`;
