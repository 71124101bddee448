import { expect, test } from 'vitest';
import { differenceOf } from '../../../src/engine/shape/difference.js';
import { readShape } from '../../../src/engine/shape/read.js';
import { repairOf } from '../../../src/engine/shape/repair/repair.js';
import type { Shape } from '../../../src/engine/shape/shape.js';
import { useServer, withClient } from '../../support/server.js';
import { engineSession } from '../../support/session.js';

const server = useServer();

const TABLE = `create table item (id int primary key, owner int, name text not null default 'x', at timestamptz);`;
const LIST = `create table "My ""list"".x" ("Do it" text, "a.b" int);`;
const PARTS = `create table event (id int, at date, what text) partition by range (at);
  create table event_new partition of event for values from ('2026-01-01') to ('2027-01-01');`;
const TOUCH = `create function touch() returns trigger language plpgsql as $$ begin return new; end $$;`;
const GUARDED = `create policy mine on item to public using (owner = 1) with check (owner = 1);`;

/** What there should be beside a table, and what there is. */
const CASES: readonly [what: string, base: string, expected: string, actual: string][] = [
  ['a column is missing', TABLE, 'alter table item add column note text', ''],
  ['a column with a default is missing', TABLE, `alter table item add column n int not null default 7`, ''],
  ['a column that must have a value is missing', TABLE, 'alter table item add column n int not null', ''],
  [
    'a generated column is missing',
    TABLE,
    `alter table item add column twice int generated always as (id * 2) stored`,
    '',
  ],
  [
    'a column that numbers itself is missing',
    TABLE,
    'alter table item add column n bigint generated always as identity',
    '',
  ],
  ['a serial column is missing', TABLE, 'alter table item add column n serial', ''],
  [
    'a column of an own type and collation is missing',
    `${TABLE} create type mood as enum ('glad');`,
    `alter table item add column mood mood default 'glad', add column c text collate "C" default 'not null'`,
    '',
  ],
  ['a column is extra', TABLE, '', 'alter table item add column note text'],
  ['a serial column is extra', TABLE, '', 'alter table item add column n serial'],
  [
    'defaults differ',
    TABLE,
    `alter table item alter owner set default 3`,
    `alter table item alter name drop default`,
  ],
  [
    'NOT NULL differs',
    TABLE,
    'alter table item alter owner set not null',
    'alter table item alter name drop not null, alter at set not null',
  ],
  [
    'a plain, a unique and a partial index are missing',
    TABLE,
    `create index i1 on item (name); create unique index i2 on item (owner, lower(name)); create index i3 on item using hash (name) where at is null`,
    '',
  ],
  [
    'an index is extra, another one differs',
    TABLE,
    'create index i on item (name)',
    'create index i on item (owner); create index j on item (owner)',
  ],
  [
    'constraints of all kinds are missing',
    TABLE,
    `alter table item add constraint u unique (owner), add constraint d unique (name) deferrable initially deferred, add constraint c check (id > 0), add constraint f foreign key (owner) references item on delete set null, add constraint e exclude (at with =), add constraint v check (owner > 0) not valid`,
    '',
  ],
  [
    'constraints are extra',
    TABLE,
    '',
    `alter table item add constraint u unique (owner), add constraint c check (id > 0); alter table item add constraint f foreign key (owner) references item (owner)`,
  ],
  [
    'constraints differ',
    TABLE,
    `alter table item add constraint c check (id > 0), add constraint u unique (owner)`,
    `alter table item add constraint c check (id > 1), add constraint u unique (name)`,
  ],
  ['a primary key is missing', 'create table t (id int not null);', 'alter table t add primary key (id)', ''],
  [
    'a constraint is not validated',
    TABLE,
    'alter table item add constraint c check (id > 0)',
    'alter table item add constraint c check (id > 0) not valid',
  ],
  [
    'policies are missing',
    TABLE,
    `alter table item enable row level security, force row level security; ${GUARDED} create policy r on item as restrictive for select to current_user using (true); create policy w on item for insert with check (owner in (1, 2))`,
    '',
  ],
  [
    'policies are extra, or differ',
    TABLE,
    GUARDED,
    `create policy mine on item for update using (true); create policy other on item using (true); alter table item enable row level security`,
  ],
  [
    'triggers are missing',
    TABLE + TOUCH,
    `create trigger t before update of name on item for each row when (old.name is distinct from new.name) execute function touch(); create constraint trigger c after insert on item deferrable for each row execute function touch()`,
    '',
  ],
  [
    'triggers are extra, differ, or are disabled',
    TABLE + TOUCH,
    `create trigger t before update on item for each row execute function touch(); create trigger d before insert on item for each row execute function touch()`,
    `create trigger t before insert on item for each row execute function touch(); create trigger x before insert on item for each row execute function touch(); create trigger d before insert on item for each row execute function touch(); alter table item disable trigger d`,
  ],
  [
    'a trigger should be disabled',
    TABLE + TOUCH,
    `create trigger t before update on item for each row execute function touch(); alter table item disable trigger t`,
    '',
  ],
  [
    'rules are missing, extra, or differ',
    TABLE,
    `create rule a as on delete to item do instead nothing; create rule b as on update to item do instead nothing`,
    `create rule b as on insert to item do instead nothing; create rule c as on delete to item do instead nothing`,
  ],
  [
    'functions are missing, extra, or differ',
    TABLE,
    `create function a(n int) returns int language sql as 'select n + 1'; create function b() returns text language plpgsql set search_path from current as $$ begin return 'it''s'; end $$; create procedure p() language sql as 'select 1'; create function counted() returns bigint language sql begin atomic select count(*) from item; end`,
    `create function a(n int) returns int language sql as 'select n + 2'; create function c() returns int language sql as 'select 1'`,
  ],
  [
    'views are missing, extra, or differ',
    TABLE,
    `create view v with (security_invoker = true) as select id, name from item where owner > 0; create view w as select 1 as one`,
    `create view w as select 2 as one; create view x as select 1`,
  ],
  [
    'labels are missing',
    `create type mood as enum ('b', 'd');`,
    `alter type mood add value 'a' before 'b'; alter type mood add value 'c' after 'b'; alter type mood add value 'e'`,
    '',
  ],
  [
    'sequences are missing, extra, or differ',
    '',
    'create sequence a as int start 5 increment 2 cycle; create sequence b',
    'create sequence b increment 3; create sequence c',
  ],
  [
    'statistics are missing, extra, or differ',
    TABLE,
    'create statistics a on id, owner from item; create statistics b on id, name from item',
    'create statistics b on name, at from item; create statistics c (ndistinct) on id, at from item',
  ],
  ['a table is extra', TABLE, '', 'create table gone (id serial primary key, of int references item)'],
  ['a table is unlogged', TABLE, '', 'alter table item set unlogged'],
  [
    'names that must be quoted',
    LIST,
    `alter table "My ""list"".x" add column "new.one" text, add constraint "It's so" check ("a.b" > 0); create index "An index" on "My ""list"".x" ("Do it")`,
    `alter table "My ""list"".x" drop column "a.b"; create policy "a.p" on "My ""list"".x" using (true)`,
  ],
  [
    'the parts of a partitioned table',
    PARTS,
    `alter table event add column note text, add constraint c check (id > 0); create index event_what on event (what)`,
    `alter table event add column extra int`,
  ],
];

async function shapesOf(base: string, expected: string, actual: string): Promise<[Shape, Shape]> {
  await withClient(server.current.superuserUrl('postgres'), async (client) => {
    for (const [schema, text] of [
      ['a "right" one', expected],
      ["an 'odd' one", actual],
    ] as const) {
      const quoted = `"${schema.replaceAll('"', '""')}"`;
      await client.query(`drop schema if exists ${quoted} cascade; create schema ${quoted}`);
      await client.query(`set search_path = ${quoted}; ${base} ${text}`);
    }
  });
  return [await shapeOf('a "right" one'), await shapeOf("an 'odd' one")];
}

async function shapeOf(schema: string): Promise<Shape> {
  const connection = await engineSession(server.current, 'postgres');
  try {
    return (await readShape(connection, schema)) as Shape;
  } finally {
    await connection.close();
  }
}

test.each(CASES)('the statements bring it back when %s', async (_, base, expected, actual) => {
  const [right, odd] = await shapesOf(base, expected, actual);
  expect(differenceOf(right, odd)).not.toEqual([]);
  const owner = new URL(server.current.superuserUrl('postgres')).username;
  const { sql, byHand } = repairOf(right, odd, { schema: "an 'odd' one", owner });
  expect(byHand).toEqual([]);
  await withClient(server.current.superuserUrl('postgres'), async (client) => {
    await client.query(`set search_path = "an 'odd' one"`);
    for (const statement of sql)
      await client.query(statement).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}: ${sql.join(';\n')}`);
      });
  });
  expect(differenceOf(right, await shapeOf("an 'odd' one"))).toEqual([]);
});

test('what no statement is written for is named, and what a statement throws away as well', async () => {
  const base = `${TABLE} create type mood as enum ('a');`;
  const [right, odd] = await shapesOf(
    base,
    `create table other (id serial); alter table item alter name type varchar(9); create domain d as int; create materialized view m as select 1`,
    `alter type mood add value 'b'; create table extra (id int); alter table item add column note text`,
  );
  const { byHand, loses } = repairOf(right, odd, { schema: 'x', owner: 'o' });
  expect(byHand).toHaveLength(5);
  expect(loses).toEqual(['what column item.note holds', 'table extra']);
});
