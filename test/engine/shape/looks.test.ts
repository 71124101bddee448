import fc from 'fast-check';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { TOOL_VERSION } from '../../../src/core/version.js';
import { LOCAL_STATE, installOwnSchema } from '../../../src/engine/ledger/own-schema.js';
import { Looks } from '../../../src/engine/shape/looks.js';
import { readFingerprints } from '../../../src/engine/shape/read.js';
import type { Connection } from '../../../src/pg/connection.js';
import type { Sql } from '../../../src/pg/sql.js';
import { useSchemas } from './databases.js';
import { CHANGES, EVERYTHING } from './everything.js';

const { connect, outsider, schema } = useSchemas();

beforeAll(async () => {
  const connection = await connect();
  await installOwnSchema(connection, LOCAL_STATE, TOOL_VERSION);
  await connection.close();
});

/** Reading what has changed pays only where there are not many others. */
const clear = async (): Promise<void> => {
  const client = await outsider();
  const { rows } = await client.query<{ nspname: string }>(
    `select nspname from pg_namespace where nspname like 'plain%'`,
  );
  for (const { nspname } of rows) await client.query(`drop schema ${nspname} cascade`);
  await client.end();
};
afterEach(clear);

/** So many that they are compared, and that reading what has changed pays. */
const crowd = (text: string): Promise<string[]> =>
  Promise.all(Array.from({ length: 25 }, () => schema(text)));

/** A look as a later process has it: it knows what is kept in the database and nothing else. */
async function look(schemas: readonly string[], connection?: Connection): Promise<Map<string, string>> {
  const session = connection ?? (await connect());
  const looks = new Looks();
  const { fingerprints } = await readFingerprints(session, schemas, looks);
  await looks.keep(session);
  return fingerprints;
}

/** What a look finds that knows nothing. */
const wholeLook = async (schemas: readonly string[]): Promise<Map<string, string>> =>
  (await readFingerprints(await connect(), schemas)).fingerprints;

const change = async (name: string, text: string): Promise<void> => {
  const client = await outsider();
  await client.query(`set search_path = "${name}"; ${text}`).finally(() => client.end());
};

/** Schemas whose whole content the statements of a session asked for. */
function readWhole(connection: Connection): () => string[] {
  const statements = vi.spyOn(connection, 'rows');
  return () =>
    statements.mock.calls.flatMap(([statement]: [Sql]) => {
      const { text, values } = statement.query();
      return text.includes('relations as materialized') && !text.includes('tenantctl.look')
        ? (values[0] as string[])
        : [];
    });
}

test(
  'what changes between two looks is found by the second, whatever it is',
  { timeout: 60_000 },
  async () => {
    const [reference, ...rest] = await crowd(EVERYTHING);
    const changed = rest
      .concat(await Promise.all(CHANGES.map(() => schema(EVERYTHING))))
      .slice(0, CHANGES.length);
    const all = [reference as string, ...rest, ...changed];
    const [before] = new Set((await look(all)).values());
    await Promise.all(
      CHANGES.map(([text], index) => {
        const name = changed[index] as string;
        return change(name, text);
      }),
    );
    const connection = await connect();
    const whole = readWhole(connection);
    const after = await look(all, connection);
    expect(after.get(reference as string)).toBe(before);
    const unseen = CHANGES.filter((_, index) => after.get(changed[index] as string) === before);
    expect(unseen).toEqual([]);
    expect(after).toEqual(await wholeLook(all));
    expect(new Set(whole()).size).toBeLessThanOrEqual(CHANGES.length + 1);
  },
);

/** Pairs of tables and keys that can be mistaken for each other. */
const ALIKE = `
  create table home (id integer primary key);
  create table x (id integer primary key, a text, home integer constraint lives references home);
  create table y (id integer primary key, a integer, home integer constraint lives references home);
  create index one on x (a); create index two on x (id);
  create type color as enum ('red'); create view seen as select x.a from x;
  create function f(integer) returns integer language sql as 'select 1';
  create function f(text) returns integer language sql as 'select 1'`;

test.each([
  [
    'two tables have changed names, and two were only touched',
    'alter table x rename to z; alter table y rename to x; alter table z rename to y',
    'alter table x set (fillfactor = 90); alter table y set (fillfactor = 90)',
  ],
  [
    'two indexes have changed names, and two were only touched',
    'alter index one rename to three; alter index two rename to one; alter index three rename to two',
    'alter index one set (fillfactor = 80); alter index two set (fillfactor = 80)',
  ],
  [
    'a foreign key is gone here, and one of the same name there',
    'alter table x drop constraint lives',
    'alter table y drop constraint lives',
  ],
  ['one of two functions of the same name is gone', 'drop function f(integer)', 'drop function f(text)'],
  ['one of two indexes is gone', 'drop index one', 'drop index two'],
])('is told apart: %s', async (_promise, here, there) => {
  const schemas = await crowd(ALIKE);
  await look(schemas);
  const [first, second] = schemas as [string, string];
  await change(first, here);
  await change(second, there);
  const found = await look(schemas);
  expect(found.get(first)).not.toBe(found.get(second));
  expect(found).toEqual(await wholeLook(schemas));
});

test('what was under way at one look and ended after it is found by the next', async () => {
  const schemas = await crowd(ALIKE);
  const [first, second] = schemas as [string, string];
  const [writer, dropper] = [await outsider(), await outsider()];
  await writer.query(`begin; create table ${first}.late (id integer)`);
  await dropper.query(`begin; drop function ${second}.f(text)`);
  await look(schemas);
  await writer.query('commit');
  await dropper.query('commit');
  const found = await look(schemas);
  expect(new Set(found.values()).size).toBe(3);
  expect(found).toEqual(await wholeLook(schemas));
});

/** Objects without lines of their own that others speak of by number. */
test.each([
  [
    'a multirange',
    'create type span as range (subtype = integer, multirange_type_name = spans); create table t (m spans)',
    'alter type spans rename to other',
  ],
  [
    'a text search configuration',
    `create text search configuration cfg (copy = simple); create table t (a text); create index i on t using gin (to_tsvector('cfg', a))`,
    'alter text search configuration cfg rename to other',
  ],
  [
    'a collation',
    `create collation own from "C"; create table t (a text, check (a < 'b' collate own))`,
    'alter collation own rename to other',
  ],
])('%s that gets another name changes what speaks of it', async (_what, text, rename) => {
  const schemas = await crowd(text);
  await look(schemas);
  await change(schemas[0] as string, rename);
  const found = await look(schemas);
  expect(new Set(found.values()).size).toBe(2);
  expect(found).toEqual(await wholeLook(schemas));
});

test('nothing is kept that was read of a schema while it changed', async () => {
  const schemas = await crowd(`create function f() returns integer language sql as 'select 1'`);
  await look(schemas);
  const later = `create or replace function f() returns integer language sql as 'select 2'`;
  await change(schemas[0] as string, later);
  const session = await connect();
  const rows = session.rows.bind(session);
  let changed = '';
  // The schema that stands for the others gets the other function just before it is read.
  vi.spyOn(session, 'rows').mockImplementation((async (statement: Sql) => {
    const { text, values } = statement.query();
    if (text.includes('relations as materialized') && !text.includes('tenantctl.look') && changed === '') {
      changed = (values[0] as string[]).find((name) => name !== schemas[0]) ?? '';
      await change(changed, later);
    }
    return rows(statement);
  }) as typeof session.rows);
  await look(schemas, session);
  expect(changed).not.toBe('');
  expect(await look(schemas)).toEqual(await wholeLook(schemas));
});

test('what was read of a schema is not kept for one that has taken its name', async () => {
  const schemas = await crowd('create table t (a integer)');
  const [first, odd] = [schemas[0] as string, await schema('create table t (a text)')];
  const session = await connect();
  const looks = new Looks();
  await readFingerprints(session, [...schemas, odd], looks);
  const client = await outsider();
  await client.query(
    `begin; alter schema ${first} rename to plain_x; alter schema ${odd} rename to ${first}; alter schema plain_x rename to ${odd}; commit`,
  );
  await looks.keep(session);
  expect(await look([...schemas, odd])).toEqual(await wholeLook([...schemas, odd]));
});

test('a schema made again under its name is another schema', async () => {
  const schemas = await crowd(ALIKE);
  await look(schemas);
  const [first] = schemas as [string];
  const client = await outsider();
  await client.query(`drop schema ${first} cascade`);
  await schema('create table other (id integer)', first);
  const found = await look(schemas);
  expect(found).toEqual(await wholeLook(schemas));
  const { rows } = await client.query(
    'select count(*)::int as gone from tenantctl.look where schema not in (select oid from pg_namespace)',
  );
  expect(rows).toEqual([{ gone: 0 }]);
});

test.each([
  ['that was kept of another schema of that number', `born = '1'`],
  ['that was made by another version of this tool', `method = 'other'`],
  ['from before a copy of the database was brought back', `horizon = '4000000000'`],
  ['from so long ago that transaction numbers have gone round', `horizon = '3'`],
])('a look %s is not believed', async (_promise, forged) => {
  const schemas = await crowd(ALIKE);
  await look(schemas);
  await change(schemas[0] as string, 'drop table y');
  const client = await outsider();
  // All of them would be taken for equal and unchanged.
  await client.query(
    `update tenantctl.look set likeness = '0', horizon = pg_current_xact_id(), ${forged}`.replace(
      /horizon = pg_current_xact_id\(\), (?=horizon)/,
      '',
    ),
  );
  expect(await look(schemas)).toEqual(await wholeLook(schemas));
});

test('units that have changed alike are read once', async () => {
  const schemas = await crowd(ALIKE);
  await look(schemas);
  await Promise.all(schemas.map((name) => change(name, 'alter table x add column due date')));
  await change(schemas[3] as string, 'alter table y add column due date');
  const connection = await connect();
  const whole = readWhole(connection);
  const found = await look(schemas, connection);
  expect(new Set(found.values()).size).toBe(2);
  // One of each sort was compared, and one of each printed.
  expect(whole().length).toBeLessThanOrEqual(4);
});

/** Small changes that leave a schema such that every other of them can still be made. */
const STEPS = [
  'alter table x add column if not exists extra integer',
  'alter table x drop column if exists extra',
  'alter table y alter home set default 5',
  'alter table y alter home drop default',
  'alter table y alter home set not null',
  'alter table y alter home drop not null',
  'create index if not exists more on y (a)',
  'drop index if exists more',
  'alter table x rename to z; alter table y rename to x; alter table z rename to y',
  'alter index one rename to three; alter index two rename to one; alter index three rename to two',
  'create or replace function f(integer) returns integer language sql as $$ select 2 $$',
  'create or replace function f(integer) returns integer language sql as $$ select 1 $$',
  'drop policy if exists p on x; create policy p on x using (true)',
  'drop policy if exists p on x',
  'begin; drop table home cascade; rollback',
  'reindex table x; cluster y using y_pkey',
  'alter table y drop constraint if exists lives',
  'alter table y add constraint lives foreign key (home) references home',
];

test(
  'whatever happens between looks, they find what a look finds that reads everything',
  { timeout: 120_000 },
  async () => {
    const text = ALIKE.replace(/create view seen as select x.a from x;/, '');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.tuple(fc.nat({ max: 24 }), fc.constantFrom(...STEPS)), { maxLength: 12 }), {
          minLength: 2,
          maxLength: 4,
        }),
        async (rounds) => {
          const schemas = await crowd(text);
          await look(schemas);
          for (const steps of rounds) {
            for (const [index, step] of steps)
              await change(schemas[index] as string, step).catch(() => undefined);
            expect(await look(schemas)).toEqual(await wholeLook(schemas));
          }
          await clear();
        },
      ),
      { numRuns: 5 },
    );
  },
);
