import { describe, expect, test } from 'vitest';
import { lintExample } from './examples.js';

const rules = async (text: string) =>
  (await lintExample(text)).map(({ rule }) => rule).filter((rule) => rule !== 'missing-down-file');

describe('a partitioned table', () => {
  test('gets an index on itself alone, which blocks nobody for long, and is told so where it is built whole', async () => {
    expect(await rules('create index a on only activity (what);')).toEqual([]);
    const [found] = await lintExample('create index a on activity (what);');
    expect(found).toMatchObject({
      rule: 'index-without-concurrently',
      hint: expect.stringContaining('ON ONLY'),
    });
    expect(found?.facts.sql).toBeUndefined();
  });

  test('has the index of a partition attached without a look at the rows', async () => {
    expect(await rules('alter index activity_day_idx attach partition activity_2025_day_idx;')).toEqual([]);
  });

  test('cannot have an index dropped concurrently, so that is not asked for', async () => {
    expect(await rules('drop index activity_day_idx;')).toEqual([]);
    expect(await rules('-- tenantctl: no-transaction\ndrop index concurrently activity_day_idx;')).toEqual([
      'concurrently-on-partitioned',
    ]);
  });
});

describe('a new column', () => {
  test('of a type that is not built in is told only where it is a domain with a constraint', async () => {
    expect(
      await rules(
        'alter table invoice add column a payment_method, add column b percentage, add column c citext;',
      ),
    ).toEqual([]);
    const strict =
      '-- 0002_domain.sql\ncreate domain positive as int check (value > 0);\n-- 0003_column.sql\n';
    expect(await rules(`${strict}alter table invoice add column a positive;`)).toEqual(['table-rewrite']);
  });
});

test('a cursor is looked at like any other statement', async () => {
  expect(await rules('declare c cursor for select 1;')).toEqual([]);
});
