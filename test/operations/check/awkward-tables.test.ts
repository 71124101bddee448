import { expect, it } from 'vitest';
import { useServer } from '../../support/server.js';
import { fleetWith } from './probing.js';

const server = useServer();

/** Each begins where the row that comes first to mind does not fit. */
const AWKWARD = `
  create domain percent as numeric(5,2) check (value between 10 and 100);
  create domain slug as text check (value ~ '^[a-z]+-[0-9]+$' or value = 'none');
  create type colour as enum ('red', 'green');
  create type point3 as (x int, y int, z int);
  create table "Order" (tenant_id uuid not null, "Id" bigint generated always as identity, "select" text not null, primary key (tenant_id, "Id"));
  create table domained (tenant_id uuid not null, id int not null, share percent not null, name slug not null, primary key (tenant_id, id));
  create table typed (tenant_id uuid not null, id smallint not null, c colour not null, cs colour[] not null, p point3 not null, r int4range not null,
    span tstzrange not null, i interval not null, n inet not null, m macaddr not null, b bytea not null, j json not null, t time not null, d date not null,
    money money not null, bits bit(3) not null, box box not null, vb varbit not null, v tsvector not null, x xml not null, ch "char" not null, na name not null, primary key (tenant_id, id));
  create table exactly_one (tenant_id uuid not null, id int not null, a int, b int, check (num_nonnulls(a, b) = 1), primary key (tenant_id, id));
  create table pattern (tenant_id uuid not null, code char(2) not null check (code in ('AA', 'BB')), mail text not null check (mail like '%@%'),
    url text not null check (url ~ '^https://'), level int not null check (level > 17), state text not null check (state = any (array['open', 'shut'])), primary key (tenant_id, code));
  create table self (tenant_id uuid not null, id bigint not null, parent_id bigint, primary key (tenant_id, id), foreign key (tenant_id, parent_id) references self);
  create table hen (tenant_id uuid not null, id bigint not null, egg_id bigint, primary key (tenant_id, id));
  create table egg (tenant_id uuid not null, id bigint not null, hen_id bigint not null, primary key (tenant_id, id), foreign key (tenant_id, hen_id) references hen);
  alter table hen add foreign key (tenant_id, egg_id) references egg;
  create table booking (tenant_id uuid not null, id int not null, room int not null, at int4range not null, primary key (tenant_id, id), exclude using gist (at with &&) where (room = 99));
  create table listed (tenant_id uuid not null, region text not null, id int not null, primary key (tenant_id, region, id)) partition by list (region);
  create table listed_eu partition of listed for values in ('de', 'fr');
  create table hashed (tenant_id uuid not null, id int not null, primary key (tenant_id, id)) partition by hash (id);
  create table hashed_0 partition of hashed for values with (modulus 1, remainder 0);
  create table ranged (tenant_id uuid not null, y int not null, at date not null, primary key (tenant_id, y, at)) partition by range (y, at);
  create table ranged_1 partition of ranged for values from (2030, '2030-02-01') to (2031, '2031-02-01');
  create table keyless (tenant_id uuid not null, what text);
  create table profile (tenant_id uuid not null, hen_id bigint not null, primary key (tenant_id, hen_id), foreign key (tenant_id, hen_id) references hen);
  create table computed (tenant_id uuid not null, a int not null default 3, b int generated always as (a * 2) stored, primary key (tenant_id, b));
  create table only_read (tenant_id uuid not null, id int not null, primary key (tenant_id, id));
  create table company (id uuid primary key, name text not null);
  create table office (tenant_id uuid not null references company, id int not null, primary key (tenant_id, id));
  create table stamped (tenant_id uuid not null, id int not null, primary key (tenant_id, id));
  create function stamp() returns trigger language plpgsql as $$ begin new.tenant_id := current_setting('app.tenant_id')::uuid; return new; end $$;
  create trigger stamp before insert on stamped for each row execute function stamp();`;

it(
  'rows are found for tables of every kind, and all but what is said is probed',
  { timeout: 90_000 },
  async () => {
    const fleet = await fleetWith(server.current, AWKWARD);
    await fleet.change('revoke insert, update, delete on only_read from app_user');
    const { findings, coverage } = await fleet.probe();
    expect(findings).toEqual([]);
    expect(coverage.notProbed).toEqual([
      {
        where: `main/${fleet.database}.app.stamped`,
        reason: expect.stringContaining("rows can only be made in a tenant's own context"),
      },
    ]);
    expect(coverage.probes - coverage.probed).toBe(8);
  },
);

it.each([
  ['bigint', '4711', '4712'],
  ['text', 'acme', 'beta'],
])('tenant columns of type %s are probed as well', { timeout: 60_000 }, async (columnType, one, other) => {
  const fleet = await fleetWith(
    server.current,
    `create table note (tenant_id ${columnType} not null, id int not null, primary key (tenant_id, id))`,
    { columnType },
    [one, other],
  );
  const sound = await fleet.probe();
  expect(sound.findings).toEqual([]);
  expect(sound.coverage.notProbed).toEqual([]);
  await fleet.change('create policy readers on note for select using (true)');
  expect((await fleet.probe()).findings).toMatchObject([{ rule: 'foreign-rows-read' }]);
});

it(
  'a table with no tenant in it is found open by the rows that the probe makes',
  { timeout: 60_000 },
  async () => {
    const fleet = await fleetWith(
      server.current,
      'create table note (tenant_id uuid not null, id int not null, primary key (tenant_id, id))',
    );
    await fleet.change('alter table note disable row level security');
    const { findings } = await fleet.probe();
    expect(findings.map(({ rule }) => rule)).toContain('foreign-rows-read');
  },
);
