import { beforeAll, describe, expect, test } from 'vitest';
import type { TenantctlError } from '../../../src/core/errors.js';
import { type Migration, analyse } from '../../../src/engine/ledger/migration.js';
import { loadParser } from '../../../src/engine/ledger/parser.js';
import { fileWith } from '../../support/migrations.js';
import { failureOf } from './directory.js';

beforeAll(loadParser);

const parse = (sql: string): Migration => analyse(fileWith(sql));
const refusal = (sql: string): Promise<TenantctlError> => failureOf((async () => parse(sql))());
const textsOf = ({ sql, statements }: Migration) => statements.map(({ start, end }) => sql.slice(start, end));

describe('directives', () => {
  test('are all off where a file has none', () => {
    expect(parse('select 1').directives).toEqual({
      noTransaction: false,
      phase: null,
      after: null,
      tiers: ['pool', 'schema', 'database'],
      batched: false,
      irreversible: false,
    });
  });

  test('are read from several comments, with blanks or commas between them', () => {
    const text = `-- tenantctl: no-transaction, irreversible\n--tenantctl:phase=contract after=0003\nselect 1;`;
    const expected = { noTransaction: true, irreversible: true, phase: 'contract', after: 3 };
    expect(parse(text).directives).toMatchObject(expected);
    expect(parse(`select 1; -- tenantctl: phase=expand`).directives.phase).toBe('expand');
  });

  test.each([
    ['tiers=pool', ['pool']],
    ['tiers=pool,schema', ['pool', 'schema']],
    ['tiers=schema, database irreversible', ['schema', 'database']],
    ['irreversible,tiers=database', ['database']],
  ])('%s names tiers', (words, tiers) => {
    expect(parse(`-- tenantctl: ${words}\nselect 1`).directives.tiers).toEqual(tiers);
  });

  test('in a literal or a function body are text', () => {
    const body = '$$ begin -- tenantctl: batched\n end $$';
    const text = `select '-- tenantctl: no-transaction'; do ${body};`;
    expect(parse(text).directives).toMatchObject({ noTransaction: false, batched: false });
  });

  test('may allow a finding of the checks in free words', () => {
    expect(
      parse('-- tenantctl: allow drop-column because nobody reads it = true\nselect 1').statements,
    ).toHaveLength(1);
  });

  test.each([
    'no-transactions',
    'phase=later',
    'after=x',
    'tiers=pools',
    'tiers=',
    'tiers=pool,shard',
    'batched now',
  ])('"%s" is refused by name', async (words) => {
    const error = await refusal(`-- tenantctl: ${words}\nselect 1`);
    expect(error).toMatchObject({ code: 'DIRECTIVE_UNKNOWN', exit: 3, facts: { file: '0007_step.sql' } });
    expect(error.hint).toContain('no-transaction');
  });

  test('that is not known is shown in its line, beside all that are known', async () => {
    const error = await refusal('-- 🎉\nselect 1;\n-- tenantctl: irreversible because x\nselect 2');
    expect(error.message).toMatch(
      /^0007_step\.sql:3: "because" is no directive\.\n3 \| -- tenantctl: irreversible/,
    );
    expect(error.facts).toMatchObject({ line: 3, directive: 'because' });
    expect(error.hint).toContain('allow <rule> because <reason>');
  });
});

describe('a syntax error', () => {
  test.each([
    ['on its first line', 'select 1 from from;', 1, 15],
    ['after other statements', "select ';';\n\nselect 2;\n  selec 3;\n", 4, 3],
    ['after accents', "select 'äöü';\nselect 'é' frm x y;", 2, 16],
    ['after emoji', '-- 🎉🎉🎉\nselect 1 from from;', 2, 15],
    ['after emoji on its own line', "select '🎉🎉' from from;", 1, 18],
    ['after kanji', "select '消費税';\nselect 1 1;", 2, 10],
  ])('%s is shown with line, column and caret', async (_where, sql, line, column) => {
    const error = await refusal(sql);
    expect(error).toMatchObject({ code: 'MIGRATION_SYNTAX', exit: 3 });
    expect(error.facts).toMatchObject({ file: '/migrations/0007_step.sql', line, column, sqlstate: '42601' });
    const [head, source, caret] = error.message.split('\n');
    expect(head).toMatch(new RegExp(`^0007_step\\.sql:${line}:${column}: syntax error at or near .*42601`));
    expect(source).toBe(`${line} | ${sql.split('\n')[line - 1]}`);
    expect(caret).toBe(`${' '.repeat(`${line} | `.length + column - 1)}^`);
  });

  test('at the end of the text is shown there', async () => {
    expect((await refusal('select 1;\ncreate table t (')).facts).toMatchObject({ line: 2 });
  });
});

describe('a file that takes control itself', () => {
  test.each([
    ['begin', 'BEGIN'],
    ['start transaction', 'START'],
    ['commit', 'COMMIT'],
    ['end', 'COMMIT'],
    ['rollback', 'ROLLBACK'],
    ['savepoint a', 'SAVEPOINT'],
    ['rollback to a', 'ROLLBACK TO'],
    ["prepare transaction 'a'", 'PREPARE'],
    ['set role app', 'SET role'],
    ['set local role app', 'SET role'],
    ['reset role', 'SET role'],
    ['set session authorization app', 'SET session_authorization'],
    ['set search_path = other', 'SET search_path'],
    ['reset search_path', 'SET search_path'],
    ['reset all', 'RESET ALL'],
    ['discard all', 'DISCARD'],
    ['copy t from stdin', 'COPY … FROM STDIN'],
  ])('with %s is refused with the line', async (statement, named) => {
    const error = await refusal(`create table t (a text);\n-- Grüße\n\n  ${statement};\nselect 1;`);
    expect(error).toMatchObject({ code: 'MIGRATION_CONTROL_STATEMENT', exit: 3 });
    expect(error.facts).toMatchObject({ line: 4, statement: named });
    expect(error.message).toContain(`0007_step.sql:4: it cannot contain ${named}`);
    expect(error.message).toContain(`\n      ^`);
  });

  test.each([
    ['set lock_timeout = 0'],
    ['set constraints all deferred'],
    ["copy t from program 'ls'"],
    ['copy t to stdout'],
    ["select 'commit'"],
    ['create function f() returns int language sql set search_path = a as $$ select 1 $$'],
  ])('is not one with %s', (statement) => {
    expect(parse(statement).statements.map(({ control }) => control)).toEqual([null]);
  });
});

describe('statements', () => {
  test('end where the parser says, not at a semicolon', () => {
    const first = `create function f(n int) returns int language sql begin atomic select 1; select n; end`;
    const second = `insert into t values ('a;b', $x$ ; $x$, ";")`;
    const third = `do $$ begin perform 1; commit; end $$`;
    const migration = parse(`/* a; b */ ${first};\n-- ü;\n${second};;\n${third}`);
    expect(textsOf(migration)).toEqual([first, second, third]);
  });

  test('keep their places after text of several bytes a character', () => {
    const migration = parse("select 'Ä🎉';\n  select '消';select 3");
    expect(textsOf(migration)).toEqual(["select 'Ä🎉'", "select '消'", 'select 3']);
  });

  test.each([[''], ['\n \n'], ['-- nothing to do\n/* yet */\n'], [';;']])('may be none: %j', (sql) => {
    expect(parse(sql)).toMatchObject({ statements: [], freshSql: sql });
  });

  test.each([
    ['create table t (a int)', [{ name: 't', added: null }]],
    ['create table t as select 1', [{ name: 't', added: null }]],
    ['alter table t add column a int', [{ name: 't', added: ['a'] }]],
    ['alter table t alter a set not null, add b int', [{ name: 't', added: ['b'] }]],
    ['alter table t drop a', []],
    ['create index i on t (a)', []],
  ])('%s makes or widens %j', (sql, expected) => {
    expect(parse(sql).statements.flatMap(({ tables }) => tables)).toEqual(expected);
  });
});

describe('the text for a fresh home', () => {
  test.each([
    ["create index concurrently i on t (('ü')) /* concurrently */", 'create index i on t'],
    ['create unique index CONCURRENTLY if not exists i on t (a)', 'create unique index if not exists i'],
    ['drop index concurrently if exists i', 'drop index if exists i'],
    ['reindex table concurrently t', 'reindex table t'],
    ['alter table t detach partition p concurrently', 'alter table t detach partition p'],
    ['vacuum (analyze) t', 'select'],
  ])('of %s can run in a transaction, each character in its place', (statement, expected) => {
    const text = `-- tenantctl: no-transaction\nselect 'Ä concurrently 🎉';\n${statement};\nselect 3;`;
    const { freshSql, statements } = parse(text);
    expect(freshSql).toHaveLength(text.length);
    const second = freshSql.slice(statements[1]?.start, statements[1]?.end).replaceAll(/ +/g, ' ');
    expect(second.startsWith(expected)).toBe(true);
    expect(freshSql.slice(0, statements[1]?.start)).toBe(text.slice(0, statements[1]?.start));
    expect(freshSql.slice(statements[2]?.start)).toBe('select 3;');
  });

  test('keeps what is allowed there', () => {
    const text = 'analyze t; refresh materialized view concurrently m; drop index i;';
    expect(parse(text).freshSql).toBe(text);
  });

  test('of an index without a name is not made: an interrupted build would not be found again', async () => {
    const error = await refusal('select 1;\ncreate index concurrently on t (a);');
    expect(error).toMatchObject({ code: 'MIGRATION_INDEX_UNNAMED', exit: 3, facts: { line: 2 } });
  });

  test.each(['create table t (a int)', 'select 1', 'update t set a = 1; update t set b = 2', ''])(
    'is not made of batches of "%s"',
    async (sql) => {
      expect(await refusal(`-- tenantctl: batched\n${sql}`)).toMatchObject({
        code: 'MIGRATION_NOT_BATCHABLE',
        exit: 3,
      });
    },
  );
});
