import { describe, expect, test } from 'vitest';
import { laravelLedger } from '../../../../src/engine/formats/ledgers/laravel.js';
import { filesOf, saidOf } from './tool-units.js';

const NAMES = [
  '2023_01_01_000000_all_so_far',
  '2023_02_01_000000_create_b_table',
  '2023_03_01_000000_create_c_table',
];
const files = () =>
  filesOf(
    'postgres-migrations',
    Object.fromEntries(NAMES.map((name, n) => [`000${n + 1}_${name}.sql`, 'select 1;'])),
  );
const judge = async (...migrations: string[]) =>
  saidOf(
    laravelLedger.judge(
      migrations.map((migration) => ({ migration })),
      await files(),
    ),
  );
const [first = '', second = '', third = ''] = NAMES;

describe('the ledger of Laravel', () => {
  test('names a file by what follows our number; the first stands for all before it', async () => {
    expect(await judge('2014_10_12_000000_create_users_table', first, second)).toEqual({
      applied: [1, 2],
      problems: [],
    });
  });

  test('may be in the midst of what the first file stands for', async () => {
    expect(await judge('2014_10_12_000000_create_users_table')).toEqual({
      applied: [],
      problems: [
        `unknown: It stands at 2014_10_12_000000_create_users_table, in the midst of what 0001_${first}.sql stands for`,
      ],
    });
  });

  test('may have gaps, and name what is no file', async () => {
    expect(await judge(first, '2023_02_02_000000_gone', third, '2024_01_01_000000_new')).toEqual({
      applied: [1, 3],
      problems: [
        'ahead: It records 2024_01_01_000000_new, newer than every file of the directory',
        'unknown: It records 2023_02_02_000000_gone, which no file of the directory is',
        `gap: 0002_${second}.sql: not recorded as applied, although a later file is`,
      ],
    });
  });

  test('cannot tell of a file of another name', async () => {
    const ours = await filesOf('postgres-migrations', { '0001_ours.sql': '', [`0002_${second}.sql`]: '' });
    expect(saidOf(laravelLedger.judge([{ migration: second }], ours)).problems).toEqual([
      "unsure: 0001_ours.sql: a later file is recorded as applied, but this name is none of that tool's",
    ]);
    expect(laravelLedger.mirror.applied(ours[0]!)).toBeNull();
    expect(laravelLedger.mirror.takenBack(ours[0]!, null)).toBeNull();
  });
});
