import { beforeAll, describe, expect, it } from 'vitest';
import { rowHash, sumTables } from '../../../src/engine/rows/sums.js';
import { type TableColumn, readTables } from '../../../src/engine/rows/tables.js';
import { raw } from '../../../src/pg/sql.js';
import type { Home } from '../../../src/engine/local/placements.js';
import type { Side } from '../../../src/engine/rows/side.js';
import { query, useServer, withClient } from '../../support/server.js';
import { engineSession } from '../../support/session.js';

const server = useServer();

const OWN_TYPES = `
  create type mood as enum ('glad', 'sad');
  create domain price as numeric;
  create type place as (street text, number int);
  create collation blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`;

beforeAll(async () => {
  await query(server.current.superuserUrl('postgres'), OWN_TYPES);
});

/** The sum over rows of a table with these columns, as written in SQL. */
function sumOf(
  columns: string,
  rows: readonly string[],
  { database = 'postgres', before = '' } = {},
): Promise<string> {
  return withClient(server.current.superuserUrl(database), async (client) => {
    await client.query(
      `${before}; create temp table t (${columns}); insert into t values ${rows.join(', ')}`,
    );
    const { rows: types } = await client.query<TableColumn>(`
      select attname as name, format_type(atttypid, atttypmod) as type, atttypid >= 16384 as own, false as generated, attnotnull as "notNull"
        from pg_attribute where attrelid = 't'::regclass and attnum > 0 order by attnum`);
    const { rows: sums } = await client.query<{ sum: string }>(
      `select sum(${rowHash({ columns: types }, 't').text()})::text as sum from t`,
    );
    return sums[0]?.sum ?? '';
  });
}

describe('the sum of the hashes of rows', () => {
  it('is the same whatever their order', async () => {
    expect(await sumOf('a int, b text', [`(1, 'x')`, `(2, 'y')`])).toBe(
      await sumOf('a int, b text', [`(2, 'y')`, `(1, 'x')`]),
    );
  });

  it.each([
    ['rows that exchange a value', 'a int, b text', [`(1, 'x')`, `(2, 'y')`], [`(1, 'y')`, `(2, 'x')`]],
    ['columns that exchange their values', 'a int, b int', ['(1, 2)'], ['(2, 1)']],
    ['pairs of equal rows', 'a int', ['(1)', '(1)', '(2)', '(2)'], ['(3)', '(3)', '(4)', '(4)']],
    ['nothing and the empty string', 'a text', ['(null)'], [`('')`]],
    ['nothing here and there', 'a text, b text', [`('x', null)`], [`(null, 'x')`]],
    ['where one text ends', 'a text, b text', [`('xy', 'z')`], [`('x', 'yz')`]],
    ['trailing zeros', 'a numeric', ['(1.0)'], ['(1.00)']],
    ['trailing zeros below a domain', 'a price', ['(1.0)'], ['(1.00)']],
    ['trailing zeros in a list', 'a numeric[]', [`('{1.0}')`], [`('{1.00}')`]],
    ['trailing zeros in a document', 'a jsonb', [`('{"n": 1.0}')`], [`('{"n": 1.00}')`]],
    ['the blanks of a document', 'a json', [`('{"n":1}')`], [`('{"n": 1}')`]],
    ['minus zero', 'a float8', ['(0)'], [`('-0')`]],
    ['the last digit of a number', 'a float8', ['(0.1)'], ['(0.1::float8 + 0.2 - 0.2)']],
    ['a day and 24 hours', 'a interval', [`('1 day')`], [`('24:00:00')`]],
    ['upper and lower case under a collation', 'a text collate blind', [`('A')`], [`('a')`]],
    ['blanks at the end of a text', 'a varchar(5)', [`('a')`], [`('a ')`]],
    ['blanks at the end of characters', 'a bpchar', [`('a')`], [`('a ')`]],
    ['the host of a network address', 'a inet', [`('10.0.0.1/24')`], [`('10.0.0.1/32')`]],
    ['labels of an enum', 'a mood', [`('glad')`], [`('sad')`]],
    ['a composite value', 'a place', [`(row('x', 1))`], [`(row('x', 2))`]],
    ['a microsecond', 'a timestamptz(6)', [`('2026-01-01 00:00:00.000001Z')`], [`('2026-01-01Z')`]],
    ['a byte', 'a bytea', [`('\\x00')`], [`('\\x0000')`]],
  ])('tells %s apart', async (_what, columns, some, others) => {
    expect(await sumOf(columns, some)).not.toBe(await sumOf(columns, others));
  });

  it('is the same in another database, where types of the same name are others', async () => {
    const columns = 'm mood, p price, h place, n numeric(10,2), at timestamptz, b bool, u uuid, c text';
    const row = `('sad', 1.50, row('x', 1), 2, '2026-01-01Z', true, '7f000000-0000-4000-8000-000000000001', 'ü')`;
    await query(server.current.superuserUrl('postgres'), 'create database elsewhere');
    await query(server.current.superuserUrl('elsewhere'), `create type filler as enum ('one'); ${OWN_TYPES}`);
    expect(await sumOf(columns, [row], { database: 'elsewhere' })).toBe(await sumOf(columns, [row]));
  });

  it('does not depend on how the session writes dates and numbers of days', async () => {
    const columns = 'a date, b timestamptz, c timestamp, d time';
    const row = `('2026-02-01', '2026-02-01 10:00Z', '2026-02-01 10:00', '10:00')`;
    const before = "set datestyle = 'German'; set timezone = 'Asia/Tokyo'";
    expect(await sumOf(columns, [row], { before: '' })).toBe(
      await sumOf(
        columns,
        [`(date '2026-02-01', timestamptz '2026-02-01 10:00Z', timestamp '2026-02-01 10:00', time '10:00')`],
        { before },
      ),
    );
  });

  it('is the same number on every version of the server: exports are read years later', async () => {
    const columns =
      'a smallint, b int, c bigint, d numeric, e text, f uuid, g timestamptz, h bool, i bytea, j jsonb, k date';
    const row = `(1, 2, 3, 4.50, 'five', '66666666-6666-4666-8666-666666666666', '2026-07-07Z', true, '\\x09', '{"ten": 10}', '2026-11-11')`;
    expect(await sumOf(columns, [row, row])).toMatchInlineSnapshot(`"16687417703593506998"`);
  });
});

describe('sums with rests', () => {
  it('are the same, and were asked for with a sleep now and then', async () => {
    await query(server.current.adminUrl('postgres'), 'create database rests');
    const session = await engineSession(server.current, 'rests');
    await session.message(`create schema many; create table many.t as select n, 'row ' || n as words from generate_series(1, 100000) n;
      create schema counted; create sequence counted.sleeps;
      create function counted.pg_sleep(float8) returns text volatile begin atomic select nextval('counted.sleeps')::text; end;
      set search_path = counted, pg_catalog`);
    const home = { placement: { schema: 'many' } } as Home;
    const side: Side = { name: 'source', home, shared: false };
    const tables = await readTables(session, side, 'tenant_id', false);
    const slept = async () =>
      (
        await session.row<{ n: number }>(
          raw('select (last_value - 1 + is_called::int)::int as n from counted.sleeps'),
        )
      )?.n;
    const hurried = await sumTables(session, side, tables);
    expect(await slept()).toBe(0);
    expect(await sumTables(session, side, tables, true)).toEqual(hurried);
    expect(hurried).toMatchObject([{ table: 't', rows: 100_000 }]);
    // Fifty are to be expected, and far fewer or more never happen.
    const sleeps = await slept();
    expect(sleeps).toBeGreaterThan(10);
    expect(sleeps).toBeLessThan(200);
    await session.close();
  });
});
