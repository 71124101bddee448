import { describe, expect, test } from 'vitest';
import { railsLedger } from '../../../../src/engine/formats/ledgers/rails.js';
import { filesOf, saidOf } from './tool-units.js';

const files = () =>
  filesOf('postgres-migrations', {
    '0001_20230101000000_everything_so_far.sql': 'create table a ();',
    '0002_20230201000000_add_b.sql': 'create table b ();',
    '0003_20230301000000.sql': 'create table c ();',
  });
const judge = async (...versions: string[]) =>
  saidOf(
    railsLedger.judge(
      versions.map((version) => ({ version })),
      await files(),
    ),
  );

describe('the ledger of Rails', () => {
  test('names a file by the version after our number', async () => {
    expect(await judge('20230101000000', '20230201000000')).toEqual({ applied: [1, 2], problems: [] });
    expect(await judge()).toEqual({ applied: [], problems: [] });
  });

  test('may have versions that the first file stands for, of few digits as well', async () => {
    expect(await judge('7', '20220505000000', '20230101000000')).toEqual({ applied: [1], problems: [] });
  });

  test('in the midst of what the first file stands for is told how to get to its end', async () => {
    const judged = railsLedger.judge([{ version: '20220505000000' }], await files());
    expect(saidOf(judged)).toEqual({
      applied: [],
      problems: [
        'unknown: It stands at 20220505000000, in the midst of what 0001_20230101000000_everything_so_far.sql stands for',
      ],
    });
    expect(judged.problems[0]?.hint).toContain('`rails db:migrate VERSION=20230101000000`');
  });

  test('may have gaps, and name what is no file', async () => {
    expect(await judge('20230101000000', '20230115000000', '20230301000000', '20240101000000')).toEqual({
      applied: [1, 3],
      problems: [
        'ahead: It records 20240101000000, newer than every file of the directory',
        'unknown: It records 20230115000000, which no file of the directory is',
        'gap: 0002_20230201000000_add_b.sql: not recorded as applied, although a later file is',
      ],
    });
  });

  test('cannot tell of a file without a version, unless it is newer than what is applied', async () => {
    const mixed = await filesOf('postgres-migrations', {
      '0001_20230101000000_a.sql': 'select 1;',
      '0002_ours.sql': 'select 2;',
      '0003_20230301000000_c.sql': 'select 3;',
      '0004_ours_too.sql': 'select 4;',
    });
    const versions = ['20230101000000', '20230301000000'].map((version) => ({ version }));
    expect(saidOf(railsLedger.judge(versions.slice(0, 1), mixed))).toEqual({ applied: [1], problems: [] });
    expect(saidOf(railsLedger.judge(versions, mixed))).toEqual({
      applied: [1, 3],
      problems: [
        "unsure: 0002_ours.sql: a later file is recorded as applied, but this name is none of that tool's",
      ],
    });
    expect(railsLedger.mirror.applied(mixed[1]!)).toBeNull();
  });

  test('has one lock for a whole database', () => {
    const place = { tool: 'rails', schema: 'a', table: 'schema_migrations' } as const;
    expect(railsLedger.lockKey(place, 'app')).toBe(6939591962871035475n);
    expect(railsLedger.lockKey({ ...place, schema: 'b' }, 'app')).toBe(6939591962871035475n);
  });
});
