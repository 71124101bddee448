import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { LOCK_MODES, type LockMode, blockedBy, conflictsOf, stronger } from '../../../src/core/lock-mode.js';
import type { StatementEffect } from '../../../src/engine/ledger/locks/effect.js';
import { effectsOf } from '../../../src/engine/ledger/locks/effects.js';
import { lockSummary } from '../../../src/engine/ledger/locks/summary.js';
import { loadParser } from '../../../src/engine/ledger/parser.js';
import { migrationsOf } from './directory.js';
import { sessionWaiting, useUnits } from './units.js';

const units = useUnits();
beforeAll(loadParser);

const NO_TRANSACTION = '-- tenantctl: no-transaction\n';

const PREPARED = `
  create schema if not exists extensions;
  create domain checked as int constraint checked_positive check (value > 0);
  create domain plain as int;
  create type mood as enum ('good');
  create function answer() returns int language sql immutable as 'select 42';
  create function f() returns trigger language plpgsql as 'begin return new; end';
  create table o (id int primary key);
  insert into o select i from generate_series(1, 50) i;
  create table t (id int primary key, a int not null, b varchar(10), n int, d plain, z text, g int generated always as (n + 1) stored);
  insert into t (id, a, b, n) select i, i, 'x', i from generate_series(1, 50) i;
  alter table t add constraint open_check check (n > 0) not valid;
  alter table t add constraint old_check check (n > -1);
  alter table t add constraint open_key foreign key (a) references o not valid;
  create index t_a on t (a);
  create unique index t_n on t (n);
  create trigger tr before update on t for each row execute function f();
  create policy pol on t using (true);
  create rule ru as on insert to o do also select 1;
  create view v as select 1 as one;
  create materialized view m as select i as id from generate_series(1, 9) i;
  create unique index m_id on m (id);
  create sequence s;
  create table unfit (id int);
  create table parent (id int, k int) partition by list (k);
  create table part partition of parent for values in (1);
  insert into parent values (1, 1);
  create table spare (id int, k int);
  insert into spare values (2, 2);
  create table child () inherits (unfit);
  create unlogged table fleeting (id int);
  create table numbered (id int generated always as identity, n int not null);
  analyze`;

/** A unit's schema with every kind of thing in it, and a session that works there. */
async function prepared() {
  const unit = await units.newUnit();
  const session = await units.outsider();
  await session.query(`set search_path = ${unit.schema}; ${PREPARED}`);
  return { unit, session };
}

interface Seen {
  oid: number;
  name: string;
  kind: string;
  file: string;
  scans: number;
}

async function relationsOf(session: pg.Client, schema: string): Promise<Map<string, Seen>> {
  const { rows } = await session.query<Seen>(
    `select oid::int as oid, relname as name, relkind as kind, coalesce(pg_relation_filenode(oid), 0)::text as file,
            pg_stat_get_xact_numscans(oid)::int as scans
       from pg_class where relnamespace = $1::regnamespace`,
    [schema],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

/** The strongest lock that a session holds, or waits for, on each relation of a schema as it was before. */
async function locksOf(
  observer: pg.Client,
  pid: number,
  known: Map<string, Seen>,
): Promise<Map<string, LockMode>> {
  const { rows } = await observer.query<{ relation: number; mode: string }>(
    `select relation::int as relation, mode from pg_locks where pid = $1 and locktype = 'relation'`,
    [pid],
  );
  const names = new Map([...known.values()].map(({ oid, name }) => [oid, name]));
  const strongest = new Map<string, LockMode>();
  for (const { relation, mode } of rows) {
    const name = names.get(relation) ?? '';
    strongest.set(name, stronger(strongest.get(name) ?? 'ACCESS SHARE', modeNamed(mode)));
  }
  return strongest;
}

function modeNamed(name: string): LockMode {
  const squeeze = (text: string) => text.replaceAll(' ', '').toLowerCase();
  const mode = LOCK_MODES.find((candidate) => `${squeeze(candidate)}lock` === squeeze(name));
  if (mode === undefined) throw new Error(`no lock mode is called ${name}`);
  return mode;
}

const processOf = async (session: pg.Client): Promise<number> =>
  (await session.query('select pg_backend_pid() as pid')).rows[0].pid;

const versionOf = async (session: pg.Client): Promise<number> =>
  Number((await session.query(`select current_setting('server_version_num') as v`)).rows[0].v);

/** What a file's text says of one relation: the strongest lock, and whatever is done to it. */
function told(effects: readonly StatementEffect[], name: string) {
  const own = effects.filter(({ relation }) => relation === name);
  const lock = own.map((effect) => effect.lock).reduce(stronger, 'ACCESS SHARE');
  return {
    lock,
    rewrites: own.map(({ rewrites }) => rewrites).find((value) => value !== false) ?? false,
    scans: own.some(({ scans }) => scans),
  };
}

const TABLES = new Set(['r', 'p', 'v', 'm']);

const IN_A_TRANSACTION = [
  'alter table t add column x int',
  'alter table t add column x int default 5',
  'alter table t add column x timestamptz default now()',
  'alter table t add column x int not null default 5',
  'alter table t add column x float default random()',
  'alter table t add column x uuid not null default gen_random_uuid()',
  'alter table t add column x int default answer()',
  'alter table t add column x mood',
  'alter table t add column x checked',
  'alter table t add column x serial',
  'alter table t add column x int generated by default as identity',
  'alter table t add column x int generated always as (n * 2) stored',
  'alter table t add column x int check (x > 0)',
  'alter table t add column x int unique',
  'alter table t add column x int references o',
  'alter table t add column x int default 1 references o',
  'alter table t add column if not exists a int',
  'alter table t drop column z',
  'alter table t alter n set default 3, alter a drop default',
  'alter table t alter n set not null',
  'alter table t alter a drop not null',
  'alter table t alter b type text',
  'alter table t alter b type varchar(20)',
  'alter table t alter a type bigint',
  'alter table t alter z type date using current_date',
  'alter table t alter g drop expression',
  'alter table t alter a add generated always as identity',
  'alter table numbered alter id set generated by default',
  'alter table numbered alter id drop identity',
  'alter table t alter z set storage external',
  'alter table t alter z set compression pglz',
  'alter table t alter n set statistics 200',
  'alter table t alter n set (n_distinct = 5)',
  'alter table t alter n reset (n_distinct)',
  'alter table t add constraint c check (a > 0)',
  'alter table t add constraint c check (a > 0) not valid',
  'alter table t add constraint c foreign key (n) references o (id)',
  'alter table t add constraint c foreign key (n) references o (id) not valid',
  'alter table t add constraint c unique (a)',
  'alter table t add constraint c unique using index t_n',
  'alter table numbered add primary key (n)',
  'alter table t add constraint c exclude (a with =)',
  'alter table t alter constraint open_key deferrable',
  'alter table t validate constraint open_check',
  'alter table t validate constraint open_key',
  'alter table t drop constraint old_check',
  'alter table t disable trigger tr',
  'alter table t enable trigger user',
  'alter table o disable rule ru',
  'alter table t enable row level security',
  'alter table t disable row level security',
  'alter table t force row level security',
  'alter table t no force row level security',
  'alter table t cluster on t_a',
  'alter table t set without cluster',
  'alter table t set (fillfactor = 70, autovacuum_enabled = false)',
  'alter table t reset (fillfactor)',
  'alter table t set (user_catalog_table = true)',
  'alter view v set (security_barrier = true)',
  'alter table spare set unlogged',
  'alter table fleeting set logged',
  'alter table t set access method heap',
  'alter table t set tablespace pg_default',
  'alter table t replica identity full',
  'alter table t owner to current_user',
  'alter table child no inherit unfit',
  'alter table spare inherit parent2',
  'alter table parent attach partition spare for values in (2)',
  'alter table parent detach partition part',
  'alter table t add column x int, alter n set statistics 200, add constraint c check (a > 0) not valid',
  'alter table t rename column z to y',
  'alter table t rename to renamed',
  'alter table t rename constraint old_check to new_check',
  'alter index t_a rename to t_b',
  'alter trigger tr on t rename to ts',
  'alter policy pol on t rename to pom',
  'alter table t set schema extensions',
  'create index t_x on t (n, a)',
  'drop index t_a',
  'reindex table t',
  'reindex index t_a',
  'drop table part',
  'drop table spare, unfit cascade',
  'drop table t',
  'drop view v',
  'drop materialized view m',
  'drop sequence s',
  'drop trigger tr on t',
  'drop policy pol on t',
  'drop rule ru on o',
  'drop function answer()',
  'truncate t',
  'create trigger tz after insert on t for each statement execute function f()',
  'create rule rz as on delete to o do instead nothing',
  'create policy poz on t for select using (a > 0)',
  'alter policy pol on t using (false)',
  'create or replace view v as select 1 as one',
  'create view w as select * from t',
  'create materialized view mw as select * from t',
  'refresh materialized view m',
  'refresh materialized view concurrently m',
  'cluster t using t_a',
  'analyze t',
  'lock table t',
  ...LOCK_MODES.map((mode) => `lock table t, o in ${mode} mode`),
  'alter sequence s restart',
  'create statistics st on a, n from t',
  "comment on table t is 'x'",
  "comment on column t.n is 'x'",
  "comment on index t_a is 'x'",
  "comment on constraint old_check on t is 'x'",
  "comment on trigger tr on t is 'x'",
  "alter type mood add value 'bad'",
  'create type other as enum ()',
  'grant select on t to current_user',
  'create table fresh (id int, o int references o, foreign key (id) references t (n))',
  'create table fresh partition of parent for values in (3)',
  'create table fresh () inherits (unfit)',
  'create table fresh (like t including all)',
  'create table fresh as select * from t',
  'insert into o values (1000)',
  'update t set n = n where id = 1',
  'delete from t where id = 1',
  'merge into spare using o on spare.id = o.id when matched then delete',
  'with gone as (delete from spare returning id) insert into unfit select id from gone',
  'select * into fresh from t',
];

const SINCE_18 = [
  'alter table t add column x int generated always as (n * 2) virtual',
  'alter table t add constraint c not null n',
  'alter table t add constraint c not null n not valid',
  'alter table t add constraint c check (a > 0) not enforced',
  'alter table t add constraint c foreign key (n) references o (id) not enforced',
  'alter table t alter column g set expression as (n + 2)',
];

/** Statements whose effect on the rows depends on their plan, or that make an empty file of a table. */
const ROWS_ASIDE =
  /^(with|insert|update|delete|merge|select|truncate|lock|create (materialized )?view|create table)/;

async function compare(statement: string): Promise<void> {
  const { unit, session } = await prepared();
  await session.query('create table parent2 (id int, k int); create schema if not exists extensions');
  const [migration] = await migrationsOf(statement);
  const effects = effectsOf(migration!);
  await session.query('begin');
  const before = await relationsOf(session, unit.schema);
  await session.query(statement);
  const locks = await locksOf(session, await processOf(session), before);
  const after = await relationsOf(session, unit.schema);
  await session.query('rollback');

  const named = new Set(effects.flatMap(({ relation }) => relation ?? []));
  const server: Record<string, unknown> = {};
  const table: Record<string, unknown> = {};
  for (const [name, { kind, file, scans }] of before) {
    if (!TABLES.has(kind) && !named.has(name)) continue;
    const lock = locks.get(name) ?? 'ACCESS SHARE';
    // What is not told must not block anybody.
    if (!named.has(name) && (blockedBy(lock) === 'nothing' || isMentioned(effects, lock))) continue;
    const now = after.get(name);
    const says = told(effects, name);
    const loose = ROWS_ASIDE.test(statement) || says.rewrites === 'maybe' || !TABLES.has(kind);
    table[name] = says;
    server[name] = loose
      ? { ...says, lock }
      : { lock, rewrites: now !== undefined && now.file !== file, scans: (now?.scans ?? 0) > scans };
  }
  expect(table).toEqual(server);
}

/** Effects on what the statement does not name: the table of an index, the ones a foreign key refers to. */
function isMentioned(effects: readonly StatementEffect[], lock: LockMode): boolean {
  return effects.some((told) => told.lock === lock && (told.relation === null || told.why.endsWith(' too')));
}

describe('what the table of locks says is what the server does', () => {
  test.each(IN_A_TRANSACTION)('%s', compare);

  test.each(SINCE_18)('%s (18)', async (statement) => {
    const session = await units.outsider();
    if ((await versionOf(session)) >= 180_000) return compare(statement);
    expect(effectsOf((await migrationsOf(statement))[0]!)).not.toEqual([]);
  });

  test.each([
    ['create index concurrently t_x on t (n)', 't', 't'],
    ['drop index concurrently t_a', 't', 't_a'],
    ['reindex table concurrently t', 't', 't'],
    ['reindex (concurrently) table t', 't', 't'],
    ['vacuum t', 't', 't'],
    ['vacuum (full, analyze) t', 't', 't'],
    ['alter table parent detach partition part concurrently', 'parent', 'parent'],
  ])('%s', async (statement, locked, named) => {
    const { unit, session } = await prepared();
    const holder = await units.outsider();
    const pid = await processOf(session);
    await holder.query(`begin; lock table only ${unit.schema}.${locked} in share update exclusive mode`);
    const before = await relationsOf(holder, unit.schema);
    const done = session.query(statement);
    await sessionWaiting(holder, pid);
    const locks = await locksOf(holder, pid, before);
    await holder.query('commit');
    await done;
    const [migration] = await migrationsOf(NO_TRANSACTION + statement);
    const says = told(effectsOf(migration!), named);
    const file = (await relationsOf(holder, unit.schema)).get(locked)?.file;
    expect({ lock: locks.get(locked), rewrites: file !== before.get(locked)?.file }).toEqual({
      lock: says.lock,
      rewrites: says.rewrites,
    });
  });

  test('a domain is held to a new constraint by reading the tables that use it', async () => {
    const { unit, session } = await prepared();
    const before = await relationsOf(session, unit.schema);
    const [migration] = await migrationsOf('alter domain plain add constraint few check (value < 9)');
    await session.query(`begin; ${migration!.sql}`);
    const locks = await locksOf(session, await processOf(session), before);
    expect(effectsOf(migration!)).toMatchObject([{ relation: null, lock: locks.get('t'), scans: true }]);
    await session.query('rollback');
  });
});

test('locks conflict as the server says', async () => {
  const { unit, session } = await prepared();
  const rival = await units.outsider();
  for (const held of LOCK_MODES) {
    await session.query(`begin; lock table t in ${held} mode`);
    const refused: LockMode[] = [];
    for (const wanted of LOCK_MODES) {
      await rival.query('begin');
      await rival
        .query(`lock table ${unit.schema}.t in ${wanted} mode nowait`)
        .catch(() => refused.push(wanted));
      await rival.query('rollback');
    }
    expect(refused).toEqual([...conflictsOf(held)]);
    await session.query('rollback');
  }
});

test('a plan has one line for each table, the strongest lock first', async () => {
  const text =
    'update t set n = 1; create index t_n2 on t (n); insert into o values (1); alter table v add x float default random()';
  const free = { rewrites: false, scans: false };
  expect(lockSummary((await migrationsOf(text))[0]!)).toEqual([
    { relation: 'v', lock: 'ACCESS EXCLUSIVE', blocks: 'readers and writers', rewrites: true, scans: true },
    { relation: 't', lock: 'SHARE', blocks: 'writers', rewrites: false, scans: true },
    { ...free, relation: 'o', lock: 'ROW EXCLUSIVE', blocks: 'nothing' },
  ]);
});

describe('a table that the file itself makes', () => {
  const linesOf = async (text: string) =>
    effectsOf((await migrationsOf(text))[0]!).map(
      ({ line, relation, lock }) => `${line} ${relation} ${lock}`,
    );

  test('blocks nobody: it is seen by others only when all is done', async () => {
    const text = `create table a (id int);\ncreate index a_id on a (id);\nalter table a add column n int;
drop index a_id;\nalter table a rename to b;\nalter table b add check (n > 0);\nalter table c add column n int`;
    expect(await linesOf(text)).toEqual(['7 c ACCESS EXCLUSIVE']);
  });

  test('is one that may be there already where the file says IF NOT EXISTS', async () => {
    expect(await linesOf('create table if not exists a ();\nalter table a add n int')).toEqual([
      '2 a ACCESS EXCLUSIVE',
    ]);
  });

  test('is seen at once by others where the file has no transaction', async () => {
    expect(await linesOf(`${NO_TRANSACTION}create table a ();\nalter table a add n int`)).toEqual([
      '3 a ACCESS EXCLUSIVE',
    ]);
  });
});
