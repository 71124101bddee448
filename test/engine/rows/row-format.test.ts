import { beforeAll, describe, expect, test } from 'vitest';
import { formatOf } from '../../../src/engine/rows/row-format.js';
import type { TableColumn } from '../../../src/engine/rows/tables.js';
import type { Connection } from '../../../src/pg/connection.js';
import { readPieces, writePiece } from '../../../src/pg/copy-pieces.js';
import { raw, sql } from '../../../src/pg/sql.js';
import { query, useServer } from '../../support/server.js';
import { withTwoSessions } from '../../support/session.js';

const server = useServer();

beforeAll(async () => {
  await query(
    server.current.superuserUrl('postgres'),
    `create type mood as enum ('glad', 'sad'); create domain price as numeric; create type place as (street text, number int)`,
  );
});

/** The columns of a table that both sessions make, each for itself. */
async function tableOf(session: Connection, declared: string): Promise<{ columns: TableColumn[] }> {
  await session.message(`create temp table t (${declared})`);
  const columns = await session.rows<TableColumn>(
    raw(`select attname as name, format_type(atttypid, atttypmod) as type, atttypid >= 16384 as own, attgenerated <> '' as generated
           from pg_attribute where attrelid = 'pg_temp.t'::regclass and attnum > 0 order by attname`),
  );
  return { columns };
}

const TIMES = ['infinity', '-infinity', '2026-02-28 23:59:59.999999+05:30', '0044-03-15 BC'];
const NUMBERS = ['NaN', 'Infinity', '-0', '1e-10', '12345678901234567890.123'];

describe('rows copied without their text', () => {
  test.each([
    ['boolean', ['true', 'false']],
    ['smallint', ['-32768', '32767']],
    ['int', ['-2147483648', '2147483647']],
    ['bigint', ['-9223372036854775808', '9223372036854775807']],
    ['numeric', [...NUMBERS, '1.0', '1.00', `${'9'.repeat(200)}.5`]],
    ['numeric(12,2)', ['1.00', '-9999999999.99', 'NaN']],
    ['real', ['NaN', '-0', '-Infinity', '1.1754944e-38', '0.1']],
    ['float8', [...NUMBERS, '5e-324', '0.30000000000000004']],
    ['text', ['', 'ü', String.raw`a\nb\\N`, 'tab\tand\nline', '\\.']],
    ['varchar(9)', ['', 'a ', 'üüüüüüüüü']],
    ['char(5)', ['', 'a', 'abcde']],
    ['uuid', ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']],
    ['bytea', ['', String.raw`\x00ff0a5c`]],
    ['json', ['{"b": 1,  "a": 1.0}', '"\\u0041"', 'null']],
    ['jsonb', ['{"b": 1, "a": 1.00}', '"\\u0041\\n"', 'null', '[]']],
    ['date', ['infinity', '-infinity', '5874897-12-31', '4713-01-01 BC']],
    ['time', ['00:00:00', '24:00:00', '23:59:59.999999']],
    ['timetz', ['00:00:00+15:59', '24:00:00-15:59']],
    ['timestamp', TIMES],
    ['timestamp(3)', TIMES],
    ['timestamptz', TIMES],
    ['interval', ['1 mon -1 day 00:00:01', '24:00:00', '1 day', '-178000000 years']],
    ['inet', ['10.0.0.1/24', '::1', '2001:db8::1/64']],
    ['cidr', ['10.0.0.0/8', '2001:db8::/32']],
    ['text[]', ['{}', '{NULL,"NULL",""}', '[2:3]={a,b}', '{{a,b},{c,d}}']],
    ['numeric(5,2)[]', ['{1.00,NaN}']],
  ])('are the same values: %s', async (type, values) => {
    await withTwoSessions(server.current, async (one, other) => {
      const columns = `n int, v ${type}, twice int generated always as (n * 2) stored`;
      const [here, there] = [await tableOf(one, columns), await tableOf(other, columns)];
      const format = formatOf(here, there, one, other);
      expect(format.name).toBe('binary');
      for (const [n, value] of [null, ...values].entries())
        await one.execute(sql`insert into t (n, v) select ${n}, ${value}::text::${raw(type)}`);
      const size = { rows: 2, bytes: 1_000 };
      await readPieces(one, raw('select n, v from t'), format, size, (piece) =>
        writePiece(other, sql`t (n, v)`, piece),
      );
      const read = raw('select x::text from t x order by n');
      expect(await other.rows(read)).toEqual(await one.rows(read));
      expect(await other.rows(read)).toHaveLength(values.length + 1);
    });
  });
});

describe('rows are copied as text', () => {
  test.each([
    'public.mood',
    'public.mood[]',
    'public.price',
    'public.place',
    'regclass',
    'oid',
    'xml',
    'bit(3)',
    'interval hour',
    'name',
  ])('where the binary form is more than the value, or nobody has asked: %s', async (type) => {
    await withTwoSessions(server.current, async (one, other) => {
      const table = await tableOf(one, `n int, v ${type}`);
      expect(formatOf(table, table, one, other).name).toBe('text');
    });
  });

  test('where a column is of another type in the other home', async () => {
    await withTwoSessions(server.current, async (one, other) => {
      const [here, there] = [await tableOf(one, 'n int'), await tableOf(other, 'n bigint')];
      expect(formatOf(here, there, one, other).name).toBe('text');
    });
  });

  test('between servers of two major versions, and not between two minor ones', async () => {
    await withTwoSessions(server.current, async (one) => {
      const table = await tableOf(one, 'n int');
      const at = (version: number) => ({ version }) as Connection;
      expect(formatOf(table, table, at(150_004), at(180_004)).name).toBe('text');
      expect(formatOf(table, table, at(180_001), at(180_004)).name).toBe('binary');
    });
  });
});
