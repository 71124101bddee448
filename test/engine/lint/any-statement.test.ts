import { expect, test } from 'vitest';
import { lint, settings } from './examples.js';

/** Statements of all kinds, with the parts that are rarely there. */
const STATEMENTS = [
  'create table a (b int references c, unique (b)) partition by hash (b)',
  'create table x partition of y for values with (modulus 2, remainder 0)',
  'create unlogged table if not exists "Ü" (é text)',
  'create table a as table b',
  'select 1; ; ;',
  'do $$ begin end $$',
  'grant all on schema public to bob',
  'alter table a add column b int, drop column c, add constraint d foreign key (b) references public.e',
  'merge into a using b on true when matched then delete',
  'with x as (select 1) insert into y table x',
  'with x as (update a set b=1 returning *) select * from x',
  'insert into a default values',
  'update only a set b = default where current of c',
  'copy a from stdin',
  'copy a to stdout',
  'create temp table a (b int)',
  'alter index a attach partition b',
  'alter sequence a owned by b.c',
  'create view a as select 1',
  'create recursive view a(b) as select 1',
  'create or replace function f() returns int language sql return 1',
  "alter type a rename value 'b' to 'c'",
  "alter type a add value if not exists 'b'; select 'b'",
  'create index on only a using gin (b gin_trgm_ops, (c || d) desc) include (e) where f',
  'alter table if exists a rename constraint b to c',
  'alter materialized view a rename to b',
  'alter view a rename column b to c',
  'drop index if exists a, b.c cascade',
  'drop table if exists a',
  'truncate only a, b restart identity',
  'reindex (verbose) schema public',
  'reindex database x',
  'vacuum',
  'analyze',
  'cluster',
  'lock a',
  'alter domain d set not null',
  'alter domain d drop constraint x',
  'create domain d as int check (value > 0)',
  'comment on column a.b is null',
  'alter table a attach partition b default',
  'alter table a detach partition b finalize',
  'alter table a alter b set data type int using c',
  'alter table only a.b.c add d int',
  'create publication p for all tables',
  "security label on table a is 'x'",
  'create rule r as on insert to a do instead nothing',
  'listen x',
  'declare c cursor for select 1',
  'prepare p as select 1',
  'execute p',
  'explain select 1',
  'call f()',
  'set local x.y = 1',
  'reset all',
  'discard all',
  'start transaction',
  'savepoint a',
  "prepare transaction 'x'",
  'alter default privileges grant select on tables to x',
  'create table a (like b including all, c int)',
  'create table a (b serial primary key, c int generated always as identity, d int default 1 not null, exclude using gist (e with &&))',
  'create foreign table a (b int) server s',
  'import foreign schema a from server b into c',
  'create cast (a as b) without function',
  'create operator class o for type t using btree as operator 1 <',
  'create aggregate a (int) (sfunc = b, stype = int)',
  'alter table a add exclude (b with =)',
  'create table of_type of t',
  'create trigger t after insert on a execute function f()',
  'create constraint trigger t after insert on a deferrable for each row execute function f()',
  'declare c cursor for select 1',
  'create statistics on a, b from c',
  'alter table a add primary key using index b',
  'alter table a add unique using index b',
  'alter table t add check (a is not null and b) not valid, alter a set not null',
];
const DIRECTIVES = ['', '-- tenantctl: no-transaction\n', '-- tenantctl: batched\n'];
const MODES = ['refuse', 'rewrite'] as const;

test('every kind of statement can be looked at, and what is said of it is whole', async () => {
  const odd: string[] = [];
  for (const onForeignSchema of MODES) {
    const using = settings('require', { adaptation: { onForeignSchema, extensionsSchema: 'extensions' } });
    for (const directive of DIRECTIVES) {
      const files = Object.fromEntries(
        STATEMENTS.flatMap((sql, index) => {
          const name = `${String(index + 1).padStart(4, '0')}_step.sql`;
          return [name, `down/${name}`].map((file) => [file, directive + sql]);
        }),
      );
      const found = await lint(files, using);
      expect(found.length).toBeGreaterThan(STATEMENTS.length / 2);
      odd.push(
        ...found
          .filter(
            ({ rule, message, hint }) =>
              rule === 'syntax-error' || /undefined|\[object|NaN|null\b/.test(message + hint),
          )
          .map(({ where, message }) => `${where}: ${message}`),
      );
    }
  }
  expect(odd).toEqual([]);
});
