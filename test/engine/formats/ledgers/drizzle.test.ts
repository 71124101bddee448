import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { describe, expect, test } from 'vitest';
import type { MigrationFile } from '../../../../src/engine/formats/format.js';
import { drizzleLedger } from '../../../../src/engine/formats/ledgers/drizzle.js';
import type { LedgerRow } from '../../../../src/engine/formats/ledgers/ledger.js';
import { readMigrationFiles } from '../../../../src/engine/formats/registry.js';
import { directoryOf, writeFiles } from '../../ledger/directory.js';
import { type ToolUnit, filesOf, saidOf, useToolUnits } from './tool-units.js';

/** A directory of 0.x: each file with its time in the journal. */
function journal(...whens: number[]): Record<string, string> {
  const entries = whens.map((when, idx) => ({
    idx,
    version: '7',
    when,
    tag: `000${idx}_t${idx}`,
    breakpoints: true,
  }));
  const scripts = entries.map(({ tag, idx }) => [
    `${tag}.sql`,
    `create table t${idx} (id int);\n--> statement-breakpoint\nselect 1;\n`,
  ]);
  return {
    'meta/_journal.json': JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
    ...Object.fromEntries(scripts),
  };
}

/** A directory of 1.0. */
const folders = (...names: string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => [
      [`${name}/migration.sql`, `-- ${name}\ncreate table t (id int);`],
      [`${name}/snapshot.json`, '{}'],
    ]),
  );

const rowOf = ({ checksum, particulars }: MigrationFile): LedgerRow => ({
  hash: checksum,
  created_at: particulars?.['when'],
});
const read = (texts: Record<string, string>) => filesOf('drizzle', texts);
const judge = (rows: LedgerRow[], files: MigrationFile[]) => saidOf(drizzleLedger.judge(rows, files));

describe('the ledger of Drizzle until 0.x', () => {
  test('knows a file by its time in the journal', async () => {
    const files = await read(journal(1000, 2000, 3000));
    expect(judge([rowOf(files[0]!), rowOf(files[1]!)], files)).toEqual({ applied: [1, 2], problems: [] });
    expect(judge([], files)).toEqual({ applied: [], problems: [] });
  });

  test('shows a file whose time was skipped: it was never run and never will be', async () => {
    const files = await read(journal(1000, 3000, 2000, 4000));
    const skipped =
      'gap: 0002_t2.sql: never applied, because a file with a later time had been applied before; Drizzle takes it for done';
    expect(judge([rowOf(files[0]!), rowOf(files[1]!)], files)).toEqual({
      applied: [1, 2],
      problems: [skipped],
    });
    expect(judge([rowOf(files[0]!), rowOf(files[1]!), rowOf(files[3]!)], files)).toEqual({
      applied: [1, 2, 4],
      problems: [skipped],
    });
  });

  test('shows a file that is missing in between by the order of the journal', async () => {
    const files = await read(journal(5000, 3000));
    expect(judge([rowOf(files[1]!)], files)).toEqual({
      applied: [2],
      problems: ['gap: 0000_t0.sql: not recorded as applied, although a later file is'],
    });
  });

  test('shows an edited file, and takes line ends as they come', async () => {
    const files = await read(journal(1000, 2000));
    const windows = await read(journal(1000, 2000));
    expect(judge([rowOf(files[0]!), { hash: 'f00', created_at: 2000 }], windows)).toEqual({
      applied: [1, 2],
      problems: ['edited: 0001_t1.sql: the text is not what was applied, by its checksum'],
    });
  });

  test('knows a file whose time in the journal was changed by its text', async () => {
    const files = await read(journal(1000, 2000));
    expect(judge([rowOf(files[0]!), { hash: files[1]!.checksum, created_at: 2500 }], files)).toEqual({
      applied: [1, 2],
      problems: [],
    });
  });

  test('may name what is no file, newer than all of them or in between', async () => {
    const files = await read(journal(1000, 2000));
    const strangers = [1500, 9000].map((created_at) => ({ hash: '0123456789abcdef', created_at }));
    expect(judge([rowOf(files[0]!), rowOf(files[1]!), ...strangers], files)).toEqual({
      applied: [1, 2],
      problems: [
        'ahead: It records 9000 (0123456789ab…), newer than every file of the directory',
        'unknown: It records 1500 (0123456789ab…), which no file of the directory is',
      ],
    });
  });
});

describe('the ledger of Drizzle from 1.0', () => {
  const NAMES = ['20250101000000_a', '20250101000000_b', '20250301000000_c'];

  test('knows a file by the name of its folder, whatever its time', async () => {
    const files = await read(folders(...NAMES));
    const rows = [0, 1].map((n) => ({ ...rowOf(files[n]!), name: NAMES[n] }));
    expect(judge(rows, files)).toEqual({ applied: [1, 2], problems: [] });
    expect(judge([{ ...rowOf(files[2]!), name: NAMES[2] }], files)).toEqual({
      applied: [3],
      problems: [
        'gap: 20250101000000_a/migration.sql, 20250101000000_b/migration.sql: not recorded as applied, although a later file is',
      ],
    });
  });

  test('that 0.x had begun has rows without a name, told by the second, then by the text', async () => {
    const files = await read(folders(...NAMES));
    const rows = files.map((file) => ({
      hash: file.checksum,
      created_at: Number(file.particulars?.['when']) + 678,
      name: null,
    }));
    expect(judge(rows, files)).toEqual({ applied: [1, 2, 3], problems: [] });
  });

  test('is written with the name, where the table has one', async () => {
    const files = await read(folders(...NAMES));
    expect(drizzleLedger.mirror.applied(files[0]!)?.insert).toEqual([
      {
        table: null,
        values: { hash: files[0]!.checksum, created_at: Date.UTC(2025, 0, 1), name: NAMES[0] },
        newer: ['name'],
      },
    ]);
  });
});

describe('Drizzle itself', () => {
  const newUnit = useToolUnits();
  const run = ({ client }: ToolUnit, migrationsFolder: string) =>
    migrate(drizzle({ client }), { migrationsFolder });

  test('leaves a ledger that is read as applied, and takes ours for its own', async () => {
    const unit = await newUnit();
    const directory = directoryOf(journal(1000, 2000));
    await run(unit, directory);
    const files = await readMigrationFiles({ directory, format: 'drizzle' });
    expect(judge(await unit.rows(drizzleLedger), files)).toEqual({ applied: [1, 2], problems: [] });

    writeFiles(directory, journal(1000, 2000, 3000));
    const third = (await readMigrationFiles({ directory, format: 'drizzle' })).at(-1)!;
    await unit.apply(drizzleLedger, third);
    await run(unit, directory);
    expect(await unit.tables()).toEqual(['t0', 't1']);

    await unit.takeBack(drizzleLedger, third, null);
    await run(unit, directory);
    expect(await unit.tables()).toEqual(['t0', 't1', 't2']);
  });

  test('skips a file with an older time in silence, which is told', async () => {
    const unit = await newUnit();
    const directory = directoryOf(journal(1000, 3000));
    await run(unit, directory);
    writeFiles(directory, journal(1000, 3000, 2000));
    await run(unit, directory);
    expect(await unit.tables()).toEqual(['t0', 't1']);
    const files = await readMigrationFiles({ directory, format: 'drizzle' });
    expect(drizzleLedger.judge(await unit.rows(drizzleLedger), files).problems).toMatchObject([
      { kind: 'gap' },
    ]);
  });
});
