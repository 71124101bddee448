import { expect, it } from 'vitest';
import { useServer } from '../../support/server.js';
import { type ProbedFleet, fleetWith } from './probing.js';

const server = useServer();

const NOTE = `create table note (tenant_id uuid not null, id bigint not null, body text, primary key (tenant_id, id));`;

/** What is found after a change of a pool that was sound. */
async function afterwards(
  sql: string,
  product = NOTE,
  change: keyof Pick<ProbedFleet, 'change' | 'force'> = 'change',
) {
  const fleet = await fleetWith(server.current, product);
  await fleet[change](sql);
  return fleet.probe();
}

interface Fault {
  fault: string;
  product?: string;
  sql: string;
  force?: true;
  rule: string;
  where: string;
  command: string;
  context: string;
}

const OTHER = 'the context of another tenant';
const OWN = `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;

const FAULTS: Fault[] = [
  {
    fault: 'row-level security switched off',
    sql: 'alter table note disable row level security',
    rule: 'foreign-rows-read',
    where: 'app.note',
    command: 'COPY',
    context: 'no context',
  },
  {
    fault: 'the same, for writing',
    sql: 'alter table note disable row level security',
    rule: 'foreign-rows-written',
    where: 'app.note',
    command: 'DELETE',
    context: OTHER,
  },
  {
    fault: 'a policy that is true for all',
    sql: `drop policy tenantctl_tenant on note; create policy everybody on note using (true)`,
    rule: 'foreign-rows-read',
    where: 'app.note',
    command: 'SELECT',
    context: OTHER,
  },
  {
    fault: 'a policy for reading that is true for all',
    sql: `create policy readers on note for select using (true)`,
    rule: 'foreign-rows-read',
    where: 'app.note',
    command: 'SELECT',
    context: 'an empty context',
  },
  {
    fault: 'an UPDATE policy that only a blind update passes',
    sql: `drop policy tenantctl_tenant on note; create policy own_select on note for select using (${OWN});
      create policy own_insert on note for insert with check (${OWN}); create policy own_delete on note for delete using (${OWN});
      create policy any_update on note for update using (true) with check (true)`,
    rule: 'foreign-rows-written',
    where: 'app.note',
    command: 'UPDATE',
    context: OTHER,
  },
  {
    fault: 'a DELETE policy that only a blind delete passes',
    sql: `drop policy tenantctl_tenant on note; create policy own_select on note for select using (${OWN});
      create policy own_insert on note for insert with check (${OWN}); create policy own_update on note for update using (${OWN});
      create policy any_delete on note for delete using (true)`,
    rule: 'foreign-rows-written',
    where: 'app.note',
    command: 'DELETE',
    context: 'a context left by an earlier transaction',
  },
  {
    fault: 'an INSERT policy without a condition',
    sql: `create policy writers on note for insert with check (true)`,
    rule: 'foreign-rows-written',
    where: 'app.note',
    command: 'INSERT',
    context: OTHER,
  },
  {
    fault: 'the same behind a trigger that may change rows',
    sql: `create policy writers on note for insert with check (true);
      create function tidy() returns trigger language plpgsql as $$ begin new.body := trim(new.body); return new; end $$;
      create trigger tidy before insert on note for each row execute function tidy()`,
    rule: 'foreign-rows-written',
    where: 'app.note',
    command: 'INSERT',
    context: OTHER,
  },
  {
    fault: 'an INSERT policy without a condition on a table without keys',
    product: 'create table note (tenant_id uuid not null, body text);',
    sql: `create policy writers on note for insert with check (true)`,
    rule: 'foreign-rows-written',
    where: 'app.note',
    command: 'INSERT',
    context: OTHER,
  },
  {
    fault: 'a unique key without the tenant column on a partitioned table',
    product: `create table seat (tenant_id uuid not null, hall int not null, seat int not null, unique (hall, seat)) partition by list (hall);
      create table seat_1 partition of seat for values in (1);`,
    sql: 'select 1',
    rule: 'key-tells-foreign-rows',
    where: 'app.seat.seat_hall_seat_key',
    command: 'INSERT',
    context: OTHER,
  },
  {
    fault: 'a policy that checks less than it shows',
    sql: `drop policy tenantctl_tenant on note; create policy own on note using (${OWN}) with check (true)`,
    rule: 'foreign-rows-written',
    where: 'app.note',
    command: 'MERGE',
    context: OTHER,
  },
  {
    fault: 'an owner whom nothing forces',
    sql: `alter table note no force row level security; grant create on schema app to app_user; alter table note owner to app_user`,
    rule: 'foreign-rows-read',
    where: 'app.note',
    command: 'SELECT',
    context: OTHER,
  },
  {
    fault: 'a role that bypasses row-level security',
    sql: 'alter role app_user bypassrls',
    force: true,
    rule: 'foreign-rows-read',
    where: 'app.note',
    command: 'SELECT FOR UPDATE',
    context: 'no context',
  },
  {
    fault: 'a bare cast of the setting',
    sql: `drop policy tenantctl_tenant on note; create policy own on note using (tenant_id = current_setting('app.tenant_id', true)::uuid)`,
    rule: 'context-breaks-reading',
    where: 'app.note',
    command: 'SELECT',
    context: 'a context left by an earlier transaction',
  },
  {
    fault: 'a setting that must be there',
    sql: `drop policy tenantctl_tenant on note; set app.tenant_id = 'x'; set tenantctl.scope = 'fleet';
      create policy own on note using (tenant_id::text = current_setting('app.tenant_id'));
      insert into note select key::uuid, 1, 'kept' from tenantctl.placement`,
    rule: 'context-breaks-reading',
    where: 'app.note',
    command: 'SELECT',
    context: 'no context',
  },
  {
    fault: 'a policy that fails open without a context',
    sql: `drop policy tenantctl_tenant on note; create policy own on note using (current_setting('app.tenant_id', true) is null or ${OWN})`,
    rule: 'foreign-rows-read',
    where: 'app.note',
    command: 'SELECT',
    context: 'no context',
  },
  {
    fault: 'a policy that fails open after a transaction',
    sql: `drop policy tenantctl_tenant on note; create policy own on note using (coalesce(current_setting('app.tenant_id', true), '-') = '' or ${OWN})`,
    rule: 'foreign-rows-read',
    where: 'app.note',
    command: 'SELECT',
    context: 'a context left by an earlier transaction',
  },
  {
    fault: "a policy that opens for the fleet's scope alone",
    sql: `create policy fleet on note using (current_setting('tenantctl.scope', true) = 'fleet')`,
    rule: 'foreign-rows-read',
    where: 'app.note',
    command: 'SELECT',
    context: "tenantctl.scope = 'fleet'",
  },
  {
    fault: 'a partition that is granted and has no policies',
    product: `create table event (tenant_id uuid not null, at date not null, id bigint not null, primary key (tenant_id, at, id)) partition by range (at);
      create table event_2031 partition of event for values from ('2031-01-01') to ('2032-01-01');`,
    sql: 'grant select on event_2031 to app_user; alter table event_2031 disable row level security',
    rule: 'partition-reached',
    where: 'app.event_2031',
    command: 'SELECT',
    context: OTHER,
  },
  {
    fault: 'a child table that is granted and has no policies',
    product: `${NOTE} create table note_archive (primary key (tenant_id, id)) inherits (note);`,
    sql: 'grant select, update on note_archive to app_user; alter table note_archive disable row level security',
    rule: 'partition-reached',
    where: 'app.note_archive',
    command: 'UPDATE',
    context: OTHER,
  },
  {
    fault: "a view with the rights of an owner that isn't held",
    sql: `alter table note no force row level security; create view all_notes as select * from note; grant select on all_notes to app_user`,
    rule: 'view-reaches-foreign-rows',
    where: 'app.all_notes',
    command: 'SELECT',
    context: OTHER,
  },
  {
    fault: 'such a view that can be written',
    sql: `alter table note no force row level security; create view all_notes as select * from note; grant select, update, delete on all_notes to app_user`,
    rule: 'view-reaches-foreign-rows',
    where: 'app.all_notes',
    command: 'DELETE',
    context: OTHER,
  },
  {
    fault: 'such a view that only counts',
    sql: `alter table note no force row level security; create view note_count as select count(*) as n from note; grant select on note_count to app_user`,
    rule: 'view-reaches-foreign-rows',
    where: 'app.note_count',
    command: 'SELECT',
    context: OTHER,
  },
  {
    fault: 'a materialized view that is granted',
    sql: `create materialized view numbers as select generate_series(1, 3) as n, (select count(*) from note) as notes; grant select on numbers to app_user`,
    rule: 'materialized-view-shows-rows',
    where: 'app.numbers',
    command: 'SELECT',
    context: 'no context',
  },
  {
    fault: 'a definer function that answers for all',
    sql: `alter table note no force row level security;
      create function notes() returns setof note language sql stable security definer as 'select * from app.note'`,
    rule: 'definer-function-shows-rows',
    where: 'app.notes()',
    command: 'SELECT',
    context: OTHER,
  },
  {
    fault: 'a unique key without the tenant column',
    product: `create table member (tenant_id uuid not null, id bigint not null, email text not null unique, primary key (tenant_id, id));`,
    sql: 'select 1',
    rule: 'key-tells-foreign-rows',
    where: 'app.member.member_email_key',
    command: 'INSERT',
    context: OTHER,
  },
  {
    fault: 'a foreign key without the tenant column',
    product: `create table author (tenant_id uuid not null, id bigint generated always as identity primary key, name text not null);
      create table book (tenant_id uuid not null, id bigint generated always as identity, author_id bigint not null references author on delete cascade, primary key (tenant_id, id));`,
    sql: 'select 1',
    rule: 'reference-to-foreign-row',
    where: 'app.book.book_author_id_fkey',
    command: 'UPDATE',
    context: OTHER,
  },
  {
    fault: 'a table without the tenant column that hangs on one with it',
    product: `${NOTE} create table note_line (id bigint generated always as identity primary key, tenant uuid not null, note_id bigint not null, body text,
      foreign key (tenant, note_id) references note (tenant_id, id));`,
    sql: 'select 1',
    rule: 'foreign-rows-read',
    where: 'app.note_line',
    command: 'SELECT',
    context: OTHER,
  },
];

it.each(FAULTS)('$fault: found by $rule', { timeout: 60_000 }, async ({ product, sql, force, ...wanted }) => {
  const { findings } = await afterwards(sql, product, force ? 'force' : 'change');
  const found = findings.find(
    ({ rule, where }) => rule === wanted.rule && where.endsWith(`.${wanted.where}`),
  );
  expect(findings.map(({ rule, where }) => `${rule} ${where}`)).toContain(`${wanted.rule} ${found?.where}`);
  expect(found?.facts['commands']).toContain(wanted.command);
  expect(found?.facts['contexts']).toContain(wanted.context);
});
