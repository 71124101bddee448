import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { directoryOf, failureOf, numbered } from '../../engine/ledger/directory.js';
import { query, useServer } from '../../support/server.js';
import { exportingFleet } from './fleet.js';

const server = useServer();

test('rows that a restrictive policy hides are not left out in silence', async () => {
  const given = await exportingFleet(server.current, {
    migrations: directoryOf(
      numbered(
        'create table doc (tenant_id uuid not null, id int not null, archived bool not null, primary key (tenant_id, id));',
      ),
    ),
  });
  const rows = 'insert into doc values ($t, 1, false), ($t, 2, true)';
  const tenant = await given.tenant('acme', 'pool', rows);
  await given.inHome(
    tenant,
    'create policy not_archived on doc as restrictive for select using (not archived)',
  );
  const failure = await failureOf(given.export('acme'));
  expect(failure).toMatchObject({ code: 'EXPORT_ROWS_HIDDEN', exit: 6, facts: { tables: ['doc'] } });
  expect(failure.message).toContain('not_archived');
  // What it proposes works.
  await given.inHome(tenant, String(failure.hint?.slice(failure.hint.indexOf('alter policy'))));
  expect((await given.export('acme')).rows).toBe(2);
});

test('a policy that shows rows only where they are changed shows none to an export', async () => {
  const given = await exportingFleet(server.current, {
    migrations: directoryOf(
      numbered('create table doc (tenant_id uuid not null, id int not null, primary key (tenant_id, id));'),
    ),
  });
  const tenant = await given.tenant('acme', 'schema', 'insert into doc values ($t, 1)');
  await given.inHome(
    tenant,
    `alter table doc enable row level security; alter table doc force row level security;
     create policy scoped on doc for update using (current_setting('tenantctl.scope', true) = 'fleet')`,
  );
  const failure = await failureOf(given.export('acme'));
  expect(failure).toMatchObject({ code: 'EXPORT_ROWS_HIDDEN', exit: 6 });
});

test('partitions of other tenants are not named in the schema of an export', async () => {
  const given = await exportingFleet(server.current, {
    migrations: directoryOf(
      numbered(
        `create table event (tenant_id uuid not null, id int not null, at date not null, primary key (tenant_id, id, at)) partition by list (tenant_id);
         create table event_rest partition of event default;`,
      ),
    ),
  });
  const acme = await given.tenant('acme', 'pool', '');
  const beside = await given.tenant('beside', 'pool', '');
  const part = (name: string, key: string) =>
    `create table event_${name} partition of event for values in ('${key}') partition by range (at);
     create table event_${name}_2026 partition of event_${name} for values from ('2026-01-01') to ('2027-01-01')`;
  await given.inHome(acme, `${part('acme', acme.key)}; insert into event values ($t, 1, '2026-05-01')`);
  await given.inHome(beside, `${part('beside', beside.key)}; insert into event values ($t, 1, '2026-05-01')`);
  const { directory } = await given.export('acme');
  const schema = ['pre', 'post']
    .map((part) => readFileSync(join(directory, `data/schema/${part}-data.sql`), 'utf8'))
    .join('\n');
  expect(schema).not.toContain(beside.key);
  expect(schema).not.toContain('beside');
  expect(schema).toContain('event_acme_2026');
  const rows = await query(server.current.superuserUrl(acme.database), `select from "${acme.schema}".event`);
  expect(rows).toHaveLength(2);
});
