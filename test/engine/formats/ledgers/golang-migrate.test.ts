import { describe, expect, test } from 'vitest';
import { golangMigrateLedger } from '../../../../src/engine/formats/ledgers/golang-migrate.js';
import { filesOf, saidOf } from './tool-units.js';

const files = () =>
  filesOf('golang-migrate', {
    '000001_a.up.sql': 'create table a ();',
    '000002_b.up.sql': 'create table b ();',
    '000005_c.up.sql': 'create table c ();',
  });
const judge = async (version: number, dirty = false) =>
  golangMigrateLedger.judge([{ version, dirty }], await files());

describe('the ledger of golang-migrate', () => {
  test('is a mark: every file up to it is believed to have run, and told apart from the one that it names', async () => {
    expect(await judge(2)).toEqual({ applied: [1, 2], inferred: [1], problems: [] });
    expect(await judge(5)).toEqual({ applied: [1, 2, 3], inferred: [1, 2], problems: [] });
  });

  test('without a row says that nothing was applied', async () => {
    expect(golangMigrateLedger.judge([], await files())).toEqual({ applied: [], inferred: [], problems: [] });
  });

  test('that is dirty tells which file, and the command that settles it', async () => {
    const judged = await judge(2, true);
    expect(saidOf(judged)).toEqual({
      applied: [1],
      problems: [
        'dirty: 000002_b.up.sql failed, or is running now: the ledger is dirty, and it may be half applied',
      ],
    });
    expect(judged.problems[0]?.hint).toContain('`migrate force 2`');
    expect(saidOf(await judge(-1, true)).problems).toHaveLength(1);
  });

  test('may be at what is no file, newer than all of them or in between', async () => {
    expect(saidOf(await judge(9))).toEqual({
      applied: [1, 2, 3],
      problems: ['ahead: It is at 9, newer than every file of the directory'],
    });
    expect(saidOf(await judge(3))).toEqual({
      applied: [1, 2],
      problems: ['unknown: It is at 3, which no file of the directory is'],
    });
  });

  test('has a lock that hashes schema, table and database', () => {
    const place = { tool: 'golang-migrate', schema: 'public', table: 'schema_migrations' } as const;
    expect(golangMigrateLedger.lockKey(place, 'app')).toBe(1787120056n);
    expect(golangMigrateLedger.lockKey({ ...place, schema: 'other' }, 'app')).not.toBe(1787120056n);
  });
});
