import { expect, test, vi } from 'vitest';
import { differenceOf } from '../../../src/engine/shape/difference.js';
import { readFingerprints, readShape, readShapes } from '../../../src/engine/shape/read.js';
import type { Shape } from '../../../src/engine/shape/shape.js';
import { type Sql, raw } from '../../../src/pg/sql.js';
import { useSchemas } from './databases.js';
import { CHANGES, EVERYTHING } from './everything.js';

const { connect, outsider, schema } = useSchemas();

/** Two schemas with everything, made once: what other tests compare with. */
let pair: Promise<[string, string]> | undefined;
const twins = (): Promise<[string, string]> =>
  (pair ??= Promise.all([schema(EVERYTHING), schema(EVERYTHING)]));

/** More schemas than are printed one by one. */
const MANY = Array.from({ length: 30 }, (_, index) => `absent_${index}`);

/** Fingerprints as they are read of a fleet: compared first, and one of each sort printed. */
const fingerprintsOf = async (...schemas: string[]): Promise<Map<string, string>> =>
  (await readFingerprints(await connect(), [...schemas, ...MANY])).fingerprints;

const read = async (name: string): Promise<Shape> => {
  const shape = await readShape(await connect(), name);
  if (shape === undefined) throw new Error(`there is no schema ${name}`);
  return shape;
};

test.each([
  'tenant_1',
  'tenant_10',
  'my_tenant_1',
  'Tenant One',
  `O'Brien "the" first`,
  'select',
  'a.b',
  'Ünïcode-1$',
])('a schema called %s has the shape of any other made by the same statements', async (name) => {
  const [plain] = await twins();
  const named = await schema(EVERYTHING, name);
  expect(differenceOf(await read(plain), await read(named))).toEqual([]);
  const fingerprints = await fingerprintsOf(plain, named);
  expect(fingerprints.get(named)).toBe(fingerprints.get(plain));
  expect(fingerprints.get(named)).toBe((await read(named)).fingerprint);
});

test.each(CHANGES)('is seen, in the cheap look too: %s', async (change, sentence) => {
  const [reference, twin] = await twins();
  const changed = await schema(`${EVERYTHING}; ${change}`.replace(/; (alter type mood add value.*)$/, ''));
  if (change.includes('add value'))
    await (await outsider()).query(change.replace('type mood', `type ${changed}.mood`));
  const words = differenceOf(await read(reference), await read(changed));
  expect(words.some((word) => word.startsWith(sentence))).toBe(true);
  const fingerprints = await fingerprintsOf(reference, changed, twin);
  expect(fingerprints.get(twin)).toBe(fingerprints.get(reference));
  expect(fingerprints.get(changed)).not.toBe(fingerprints.get(reference));
  expect(fingerprints.get(changed)).toBe((await read(changed)).fingerprint);
});

test.each([
  [
    'the order of columns',
    'alter table parent drop column amount; alter table parent add amount positive; alter table log add extra text; alter table log drop extra',
  ],
  [
    'comments, grants and values of sequences',
    "comment on table scratch is 'x'; grant select on scratch to public; select nextval('number_seq')",
  ],
  ['storage parameters of a table', 'alter table scratch set (fillfactor = 50)'],
])('does not count: %s', async (_promise, change) => {
  const [reference] = await twins();
  const changed = await schema(`${EVERYTHING}; ${change}`);
  expect(differenceOf(await read(reference), await read(changed))).toEqual([]);
  const fingerprints = await fingerprintsOf(reference, changed);
  expect(fingerprints.get(changed)).toBe(fingerprints.get(reference));
});

/** Hashes that are added up must not forget which row a value stood in: that shows in some pairs and not in others. */
test.each([
  [
    'NOT NULL',
    'create table t (a integer not null, b integer)',
    'create table t (a integer, b integer not null)',
  ],
  ['types', 'create table t (a integer, b text)', 'create table t (a text, b integer)'],
  [
    'defaults',
    'create table t (a integer default 1, b integer default 2)',
    'create table t (a integer default 2, b integer default 1)',
  ],
  [
    'row-level security',
    'create table s (); create table t (); alter table s enable row level security',
    'create table s (); create table t (); alter table t enable row level security',
  ],
  [
    'uniqueness',
    'create table t (a integer, b integer); create unique index i on t (a); create index j on t (b)',
    'create table t (a integer, b integer); create index i on t (a); create unique index j on t (b)',
  ],
  [
    'policies',
    'create table s (); create table t (); create policy p on s using (true); create policy p on t using (false)',
    'create table s (); create table t (); create policy p on s using (false); create policy p on t using (true)',
  ],
  [
    'ON DELETE',
    'create table s (a integer primary key); create table t (a integer references s on delete cascade, b integer references s)',
    'create table s (a integer primary key); create table t (a integer references s, b integer references s on delete cascade)',
  ],
])('two that have exchanged their %s are told apart', async (_what, one, other) => {
  const pairs = await Promise.all(
    Array.from({ length: 10 }, async () => [await schema(one), await schema(other)] as const),
  );
  const fingerprints = await fingerprintsOf(...pairs.flat());
  const alike = pairs.filter(([a, b]) => fingerprints.get(a) === fingerprints.get(b));
  expect(alike).toEqual([]);
});

test('a policy for a role is not one for the owner, nor for another role', async () => {
  const text = 'create table t (a integer); create policy p on t to';
  const [owner, name, reader] = [
    await schema(`${text} current_user using (true)`),
    await schema(`${text} current_user using (current_user = session_user)`),
    await schema(`${text} pg_monitor using (true)`),
  ];
  const fingerprints = await fingerprintsOf(owner, name, reader);
  expect(new Set(fingerprints.values()).size).toBe(3);
});

test('options of an operator class are part of an index', async () => {
  const text = (length: number) =>
    `create table t (a tsvector); create index i on t using gist (a tsvector_ops (siglen = ${length}))`;
  const [one, other] = [await schema(text(100)), await schema(text(200))];
  const fingerprints = await fingerprintsOf(one, other);
  expect(fingerprints.get(one)).not.toBe(fingerprints.get(other));
});

test('the styles of a database do not change what is read', async () => {
  const name = await schema(`create table t (a date default '2026-01-02', b interval default '26 hours')`);
  const before = (await read(name)).fingerprint;
  const connection = await connect();
  await connection.rows(
    raw(`select set_config('datestyle', 'German', false), set_config('intervalstyle', 'iso_8601', false)`),
  );
  expect((await readShape(connection, name))?.fingerprint).toBe(before);
});

test('a string that only looks like the name of the schema is not touched', async () => {
  const text = `create table t (tenant uuid default current_setting('like.tenant_id', true)::uuid, host text default 'see like.example.com',
      source text check (source in ('like', 'web')), "it's like.this" text);
    create function f() returns text language sql as $$ select current_setting('like.user', true) $$`;
  const [like, other] = [await schema(text, 'like'), await schema(text)];
  expect(differenceOf(await read(other), await read(like))).toEqual([]);
  expect((await read(like)).lines).toContainEqual({
    kind: 'column',
    name: 't.host',
    definition: "text default 'see like.example.com'::text",
  });
});

test("a default that draws from another tenant's sequence is not taken for its own", async () => {
  const table = 'create sequence s; create table t (id integer default nextval(';
  const first = await schema(`${table}'s'))`);
  const second = await schema(`${table}'${first}.s'))`);
  const fingerprints = await fingerprintsOf(first, second);
  expect(fingerprints.get(second)).not.toBe(fingerprints.get(first));
  expect(differenceOf(await read(first), await read(second))).toEqual([
    `column t.id is integer default nextval('${first}.s'::regclass), not integer default nextval('s'::regclass)`,
  ]);
});

test('an invalid index is said to be so', async () => {
  const reference = await schema('create table t (a integer); create unique index t_idx on t (a)');
  const broken = await schema('create table t (a integer); insert into t values (1), (1)');
  const build = (await outsider()).query(`create unique index concurrently t_idx on ${broken}.t (a)`);
  await expect(build).rejects.toThrow('could not create unique index');
  expect(differenceOf(await read(reference), await read(broken))).toEqual(['index t_idx is invalid']);
});

test('a schema that somebody holds for himself is left out, not waited for; the others are read', async () => {
  const [free, held] = [await schema(EVERYTHING), await schema(EVERYTHING)];
  const rival = await outsider();
  await rival.query(`begin; lock table ${held}.invoice in access exclusive mode`);
  const connection = await connect();
  const { fingerprints, busy } = await readFingerprints(connection, [free, held]);
  expect([[...fingerprints.keys()], busy]).toEqual([[free], [held]]);
  await expect(readShape(connection, held)).rejects.toMatchObject({ code: '55P03' });
  await rival.query('rollback');
  expect((await readShape(connection, held))?.fingerprint).toBe(fingerprints.get(free));
});

test.each([12, 40])('%i schemas of two sorts: as many statements as for one', async (count) => {
  const same = await Promise.all(Array.from({ length: count }, () => schema('create table t (a integer)')));
  const other = await schema('create table t (a integer, b integer)');
  const connection = await connect();
  const statements = vi.spyOn(connection, 'rows');
  const { fingerprints } = await readFingerprints(connection, [...same, other]);
  expect(fingerprints.size).toBe(count + 1);
  expect(new Set(fingerprints.values()).size).toBe(2);
  expect(statements.mock.calls.length).toBeLessThanOrEqual(3);
});

test('of many schemas one of each sort is printed, whatever they hold and are called', async () => {
  const [first, second] = await twins();
  // Before 17 the catalog keeps where in a message a word stood: a name of the same length moves nothing.
  const third = await schema(EVERYTHING, 'Plain A');
  const changed = await schema(`${EVERYTHING}; alter table scratch add c integer`);
  const connection = await connect();
  const statements = vi.spyOn(connection, 'rows');
  await readFingerprints(connection, [first, second, third, changed, ...MANY]);
  const [statement] = statements.mock.calls.at(-1) as [Sql];
  const [printed] = statement.query().values as [string[]];
  expect(printed).toHaveLength(2);
});

test('all schemas of a database are read but the server own and ours, and an empty one has a shape too', async () => {
  const [empty, full] = [await schema(''), await schema(EVERYTHING)];
  const { fingerprints } = await readFingerprints(await connect(), 'all');
  expect([...fingerprints.keys()]).toEqual(expect.arrayContaining([empty, full, 'public']));
  expect([...fingerprints.keys()].filter((name) => /^(pg_|information_schema|tenantctl)/.test(name))).toEqual(
    [],
  );
  expect(fingerprints.get(empty)).not.toBe(fingerprints.get(full));
});

test('what is not there has no shape', async () => {
  const connection = await connect();
  expect(await readShapes(connection, ['nowhere'])).toEqual(new Map());
  expect(await readShape(connection, 'nowhere')).toBeUndefined();
  expect(await readFingerprints(connection, ['nowhere'])).toEqual({ fingerprints: new Map(), busy: [] });
});
