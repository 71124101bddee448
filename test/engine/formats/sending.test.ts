import { describe, expect, test } from 'vitest';
import { loadFrom } from '../../support/migrations.js';
import { directoryOf, failureOf } from '../ledger/directory.js';
import { appliedIds, tablesOf, useUnits } from '../ledger/units.js';

const units = useUnits();
const LOCK = { 'migration_lock.toml': '' };
const prisma = (...texts: string[]) =>
  loadFrom(
    directoryOf({
      ...LOCK,
      ...Object.fromEntries(texts.map((text, n) => [`2023010100000${n}_step/migration.sql`, text])),
    }),
    { format: 'auto' },
  );
const dbmate = (text: string) => loadFrom(directoryOf({ '20230101000000_a.sql': text }), { format: 'auto' });

describe('a file of Prisma', () => {
  test('may say BEGIN and COMMIT, as Prisma writes it for a changed enum', async () => {
    const unit = await units.newUnit();
    const text = `BEGIN;
      create type "Role_new" as enum ('A', 'B');
      alter table u alter column r type "Role_new" using (r::text::"Role_new");
      alter type "Role" rename to "Role_old"; alter type "Role_new" rename to "Role"; drop type "Role_old";
      COMMIT;`;
    const migrations = await prisma(
      `create type "Role" as enum ('A', 'B', 'C'); create table u (r "Role");`,
      text,
    );
    await unit.migrate(migrations);
    expect(await appliedIds(unit)).toEqual([1, 2]);
    expect(migrations[1]?.statements.map(({ control }) => control)).toEqual(Array(5).fill(null));
  });

  test.each(['begin; rollback;', 'savepoint a;'])('is refused with %s', async (text) => {
    expect(await failureOf(prisma(text))).toMatchObject({ code: 'MIGRATION_CONTROL_STATEMENT', exit: 3 });
  });

  test('that is one concurrent index runs outside a transaction; with more in it it does not, as there', async () => {
    const index = 'create index concurrently i on t (id)';
    const [, alone, together] = await prisma('create table t (id int)', index, `${index}; select 1;`);
    expect([alone?.directives.noTransaction, together?.directives.noTransaction]).toEqual([true, false]);
  });

  test('that sorts before one that a unit has is told so', async () => {
    const unit = await units.newUnit();
    const [a, b, c] = ['create table a ()', 'create table b ()', 'create table c ()'];
    const folders = (...names: [string, string][]) =>
      loadFrom(
        directoryOf({
          ...LOCK,
          ...Object.fromEntries(names.map(([n, text]) => [`${n}/migration.sql`, text])),
        }),
        { format: 'prisma' },
      );
    await unit.migrate(await folders(['2023_a', a], ['2025_c', c]));
    const error = await failureOf(unit.migrate(await folders(['2023_a', a], ['2024_b', b], ['2025_c', c])));
    expect(error).toMatchObject({ code: 'MIGRATION_OUT_OF_ORDER', exit: 3 });
    expect(error.message).toContain('2024_b sorts before 2025_c, which schema:');
    expect(await tablesOf(unit)).toEqual(['a', 'c']);
  });
});

describe('a file of another tool', () => {
  test('is refused with BEGIN and COMMIT', async () => {
    const error = await failureOf(dbmate('-- migrate:up\nselect 1;\nbegin;\ncommit;'));
    expect(error).toMatchObject({ code: 'MIGRATION_CONTROL_STATEMENT', facts: { line: 3 } });
  });

  test('runs statement by statement where dbmate is told so', async () => {
    const unit = await units.newUnit();
    await unit.migrate(
      await dbmate(
        '-- migrate:up transaction:false\ncreate table t (id int);\ncreate index concurrently i on t (id);\n-- migrate:down\ndrop table t;\n',
      ),
    );
    expect(await appliedIds(unit)).toEqual([1]);
    expect(await tablesOf(unit)).toEqual(['t']);
  });

  test('that fails is told with the line of the file, below markers and ways back', async () => {
    const unit = await units.newUnit();
    const text = '-- migrate:down\ndrop table t;\n\n-- migrate:up\nselect 1;\ncreate table t (id nothing);\n';
    const error = await failureOf(unit.migrate(await dbmate(text)));
    expect(error).toMatchObject({ code: 'MIGRATION_FAILED', facts: { line: 6 } });
    expect(error.message).toContain('6 | create table t (id nothing);');
  });
});
