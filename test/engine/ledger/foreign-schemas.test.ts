import { describe, expect, test } from 'vitest';
import type { MigrationSettings } from '../../../src/core/settings.js';
import { loadFrom } from '../../support/migrations.js';
import { directoryOf, failureOf, numbered } from './directory.js';
import { useUnits } from './units.js';

type Mode = MigrationSettings['onForeignSchema'];
const load = (onForeignSchema: Mode, ...texts: string[]) =>
  loadFrom(directoryOf(numbered(...texts)), { onForeignSchema });
const rewritten = async (text: string) => (await load('rewrite', text))[0]?.sql;
const refusal = async (mode: Mode, ...texts: string[]) => {
  const error = await failureOf(load(mode, ...texts));
  expect(error).toMatchObject({ code: 'MIGRATION_FOREIGN_SCHEMA', exit: 3 });
  return error;
};
const placesOf = async (mode: Mode, ...texts: string[]) => (await refusal(mode, ...texts)).facts['places'];

/** `§` stands for the seven blanks that `public.` leaves, `¶` for the nine of `"public".` */
const REWRITTEN: [string, string][] = [
  ['create table public.a (id int)', 'create table §a (id int)'],
  ['create table "public"."A" (id int)', 'create table ¶"A" (id int)'],
  ['create table PUBLIC.a (id int)', 'create table §a (id int)'],
  ['create table public . a (id int)', 'create table          a (id int)'],
  ['create table public.user (id int)', 'create table      "user" (id int)'],
  [
    'create table a (b public.t default public.f() references public.c (id))',
    'create table a (b §t default §f() references §c (id))',
  ],
  [
    'alter table public.a add foreign key (x) references "public"."B" (y)',
    'alter table §a add foreign key (x) references ¶"B" (y)',
  ],
  [
    'alter table only public.a alter column b type public.t using b::text::public.t[]',
    'alter table only §a alter column b type §t using b::text::§t[]',
  ],
  ['alter table public.a attach partition public.b default', 'alter table §a attach partition §b default'],
  ['create table b (like public.a) inherits (public.c)', 'create table b (like §a) inherits (§c)'],
  [
    'create index i on public.a using gin (public.f(x) public.my_ops)',
    'create index i on §a using gin (§f(x) §my_ops)',
  ],
  ['drop index public.i, j, public.k', 'drop index §i, j, §k'],
  ['drop table if exists public.a cascade', 'drop table if exists §a cascade'],
  ["create type public.e as enum ('public.a')", "create type §e as enum ('public.a')"],
  ["alter type public.e add value 'x'", "alter type §e add value 'x'"],
  ['alter type "public"."E" rename to "F"', 'alter type ¶"E" rename to "F"'],
  ['create type public.c as (a public.e)', 'create type §c as (a §e)'],
  ['create domain public.d as public.e', 'create domain §d as §e'],
  ['drop type public.e', 'drop type §e'],
  ['create sequence public.s owned by public.a.id', 'create sequence §s owned by §a.id'],
  ['alter sequence public.s owned by public.a.id', 'alter sequence §s owned by §a.id'],
  ["select nextval('public.s')", "select nextval('§s')"],
  [
    `alter table a alter b set default nextval('public."S"'::regclass)`,
    `alter table a alter b set default nextval('§"S"'::regclass)`,
  ],
  [
    "select pg_get_serial_sequence('public.a', 'public.b')",
    "select pg_get_serial_sequence('§a', 'public.b')",
  ],
  [
    'create view public.v as select public.a.b, a.c, public.a.* from public.a',
    'create view §v as select §a.b, a.c, §a.* from §a',
  ],
  [
    'create function public.f(a public.t, b public.x.y%type) returns setof public.r language sql as $$select 1$$',
    'create function §f(a §t, b §x.y%type) returns setof §r language sql as $$select 1$$',
  ],
  [
    'create function f() returns int language sql begin atomic select n from public.a; end',
    'create function f() returns int language sql begin atomic select n from §a; end',
  ],
  ['drop function public.f(public.t)', 'drop function §f(§t)'],
  [
    'create trigger t before insert on public.a for each row execute function public.g()',
    'create trigger t before insert on §a for each row execute function §g()',
  ],
  ['drop trigger t on public.a', 'drop trigger t on §a'],
  [
    'create policy p on public.a using (exists (select from public.b))',
    'create policy p on §a using (exists (select from §b))',
  ],
  ['drop policy p on public.a', 'drop policy p on §a'],
  ["comment on table public.a is 'in public.a'", "comment on table §a is 'in public.a'"],
  ["comment on column public.a.b is 'x'", "comment on column §a.b is 'x'"],
  ["comment on constraint c on public.a is 'x'", "comment on constraint c on §a is 'x'"],
  ['grant select on public.a, b to r', 'grant select on §a, b to r'],
  [
    'insert into public.a as x (b) select b from public.c on conflict do nothing',
    'insert into §a as x (b) select b from §c on conflict do nothing',
  ],
  [
    'update public.a set b = c.d from public.c where c.id = a.id',
    'update §a set b = c.d from §c where c.id = a.id',
  ],
  ['select a operator(public.+) b collate public.c', 'select a operator(§+) b collate §c'],
  [
    'create table x (id int generated always as identity (sequence name public.q))',
    'create table x (id int generated always as identity (sequence name §q))',
  ],
  ['drop operator class public.o using btree', 'drop operator class §o using btree'],
  ['create statistics public.s on a, b from public.t', 'create statistics §s on a, b from §t'],
  [
    "/* ü 🙂 */ create table public.a (b text default 'ü🙂', c public.t)",
    "/* ü 🙂 */ create table §a (b text default 'ü🙂', c §t)",
  ],
  ['create schema if not exists public', '                                  '],
  ["comment on schema public is 'x'", '                               '],
  ['grant usage on schema public to r', '                                 '],
  // What only looks like the schema.
  ['select public.b from a as public', 'select public.b from a as public'],
  ['create table a (public boolean, "public.x" int)', 'create table a (public boolean, "public.x" int)'],
  [
    'select pg_catalog.now(), extensions.crypt(a, b) from information_schema.tables',
    'select pg_catalog.now(), extensions.crypt(a, b) from information_schema.tables',
  ],
  [
    'create temp table t as select 1; drop table pg_temp.t',
    'create temp table t as select 1; drop table pg_temp.t',
  ],
];

describe('rewritten', () => {
  test.each(REWRITTEN)('%s', async (text, expected) => {
    const sql = await rewritten(text);
    expect(sql).toBe(expected.replaceAll('§', ' '.repeat(7)).replaceAll('¶', ' '.repeat(9)));
    expect(sql).toHaveLength(text.length);
  });

  test('under refuse each of these is refused, but for what only looks like the schema', async () => {
    const [naming, innocent] = [REWRITTEN.slice(0, -4), REWRITTEN.slice(-4)];
    for (const [text] of naming) await refusal('refuse', text);
    for (const [text] of innocent) expect(await load('refuse', text)).toHaveLength(1);
  });

  test('the way back is rewritten as well', async () => {
    const files = { '0001_a.sql': 'select 1', 'down/0001_a.sql': 'drop table public.a' };
    const [migration] = await loadFrom(directoryOf(files), { onForeignSchema: 'rewrite' });
    expect(migration?.down?.sql).toBe('drop table        a');
  });
});

describe('refused', () => {
  test.each([
    ['create table other.a (id int)', '0001_step.sql:1:14'],
    ['create table db.public.a (id int)', '0001_step.sql:1:14'],
    ['create schema other', '0001_step.sql:1:1'],
    ['drop schema public cascade', '0001_step.sql:1:1'],
    ['alter table a set schema public', '0001_step.sql:1:1'],
    ['grant select on all tables in schema public to r', '0001_step.sql:1:1'],
    ['alter default privileges in schema public grant select on tables to r', '0001_step.sql:1:1'],
    [
      'create function f() returns int set search_path = public language sql as $$select 1$$',
      '0001_step.sql:1:1',
    ],
    ['alter function f() set search_path = public, pg_temp', '0001_step.sql:1:1'],
    ["select 'other.s'::regclass", '0001_step.sql:1:8'],
    ["select E'public.\\x73'::regclass", '0001_step.sql:1:8'],
    ['create table U&"p\\0075blic".a (id int)', '0001_step.sql:1:1'],
  ])('even where public is rewritten: %s', async (text, place) => {
    expect(await placesOf('rewrite', text)).toEqual([place]);
  });

  test('tells every place of every file, with a caret below the first', async () => {
    const error = await refusal(
      'refuse',
      'select 1;\n-- ü\ncreate table "public"."A" (id int,\n  b other.t);',
      'drop table public.b',
    );
    expect(error.facts['places']).toEqual(['0001_step.sql:3:14', '0001_step.sql:4:5', '0002_step.sql:1:12']);
    expect(error.message).toContain('0001_step.sql:3:14: public.A is in schema public');
    expect(error.message).toContain('3 | create table "public"."A" (id int,\n                 ^');
    expect(error.hint).toContain('onForeignSchema: rewrite');
  });

  test('lists twenty places and counts the others', async () => {
    const error = await refusal('refuse', 'drop table public.a;\n'.repeat(25));
    expect(error.facts['places']).toHaveLength(25);
    expect(error.message).toContain('0001_step.sql:20:12');
    expect(error.message).not.toContain('0001_step.sql:21:12');
    expect(error.message).toContain('… and 5 more');
  });

  test('a function that sets an empty search path, or the current one, may', async () => {
    const set = (path: string) =>
      `create function f() returns int set search_path ${path} language sql as $$select 1$$`;
    expect(await load('refuse', set("= ''"), set('from current'), set('= pg_catalog, pg_temp'))).toHaveLength(
      3,
    );
  });
});

describe('names in strings', () => {
  test('are left as they are, and told with file and line', async () => {
    const body = 'do $$\nbegin\n  perform 1 from public.a;\nend $$';
    const query = "select 1 from pg_indexes where schemaname = 'public'";
    const [first, second, third] = await load(
      'rewrite',
      body,
      query,
      "insert into a values ('a public.thing')",
    );
    expect([first?.sql, second?.sql]).toEqual([body, query]);
    const places = [first, second].map((migration) => migration?.remarks.map(({ offset }) => offset));
    expect(places).toEqual([[body.indexOf('public.a')], [query.indexOf("'public'")]]);
    expect(third?.remarks).toEqual([]);
  });
});

describe('on a server', () => {
  const units = useUnits();

  test('what named public is made in the schema of the unit, and nothing in public', async () => {
    const unit = await units.newUnit();
    await unit.migrate(
      await load(
        'rewrite',
        `create schema if not exists "public";
         create type "public"."Role" as enum ('ADMIN', 'USER');
         create table "public"."User" (id int primary key, role "public"."Role" not null default 'USER'::"public"."Role");
         create table public.user (id int references "public"."User" (id));
         create sequence public.numbers owned by public."User".id;
         alter table "public"."User" alter id set default nextval('public.numbers'::regclass);
         create function public.two() returns int language sql begin atomic select 2; end;
         create view public.v as select "public"."User".id, public.two() from "public"."User";`,
        'insert into "public"."User" default values; drop table public.user;',
      ),
    );
    expect(await unit.rows(`select * from ${unit.schema}.v`)).toEqual([{ id: 1, two: 2 }]);
    const [left] = await unit.rows<{ things: number }>(
      `select (select count(*) from pg_class where relnamespace = 'public'::regnamespace)::int
            + (select count(*) from pg_type where typnamespace = 'public'::regnamespace)::int
            + (select count(*) from pg_proc where pronamespace = 'public'::regnamespace)::int as things`,
    );
    expect(left).toEqual({ things: 0 });
  });

  test('a failure is shown with the line as it stands in the file', async () => {
    const unit = await units.newUnit();
    const error = await failureOf(
      unit.migrate(await load('rewrite', 'select 1;\n  drop table "public"."none";')),
    );
    expect(error).toMatchObject({ code: 'MIGRATION_FAILED', facts: { line: 2 } });
    expect(error.message).toContain('2 |   drop table "public"."none"');
  });
});
