import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { loadMigrationFiles } from 'postgres-migrations';
import { describe, expect, test } from 'vitest';
import { readMigrationFiles } from '../../../src/engine/formats/registry.js';
import { digestOf } from '../../../src/engine/ledger/files.js';
import { findMigration } from '../../../src/engine/ledger/find.js';
import { directoryOf, failureOf, numbered } from './directory.js';

const readFolder = (directory: string) => readMigrationFiles({ directory, format: 'postgres-migrations' });
const read = (files: Record<string, string>) => readFolder(directoryOf(files));
const problemsOf = async (files: Record<string, string>) => {
  const error = await failureOf(read(files));
  expect(error).toMatchObject({ code: 'MIGRATIONS_INVALID', exit: 3 });
  return error.facts['problems'] as string[];
};

describe('a migration directory', () => {
  test('is read in order of its numbers, whatever their width', async () => {
    const files = await read({ '2_b.sql': 'b', '0001_a.sql': 'a', '10.sql': 'j', ...range(3, 9) });
    expect(files.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['0001_a', '2_b', '10']));
  });

  test('without a file has no migrations', async () => {
    expect(await read({ 'README.md': 'soon' })).toEqual([]);
  });

  test('names both files that share a number', async () => {
    expect(await problemsOf({ ...numbered('a', 'b'), '2-other.sql': 'c' })).toEqual([
      'number 2 is used by 0002_step.sql and 2-other.sql',
    ]);
  });

  test('names the number that is missing', async () => {
    expect(await problemsOf({ '0001_a.sql': '', '0002_b.sql': '', '0004_d.sql': '' })).toEqual([
      'number 3 is missing: the next file there is 4',
    ]);
    expect(await problemsOf({ '0002_b.sql': '' })).toEqual(['number 1 is missing: the next file there is 2']);
    expect(await problemsOf({ '0000_z.sql': '', '0001_a.sql': '' })).toEqual([
      'number 0 is below 1; the first migration is 0001',
    ]);
  });

  test.each(['0002_b.js', 'helper.js', '0002_B.JS'])('refuses %s without running it', async (name) => {
    const mark = path.join(directoryOf({}), 'ran');
    const script = `require('fs').writeFileSync(${JSON.stringify(mark)}, ''); exports.generateSql = () => 'select 1';`;
    expect(await problemsOf({ '0001_a.sql': '', [name]: script })).toEqual([
      `${name}: JavaScript migrations are not run; write it as SQL`,
    ]);
    expect(existsSync(mark)).toBe(false);
  });

  test('refuses a .sql file without a number', async () => {
    expect(await problemsOf({ '0001_a.sql': '', 'add_note.sql': '' })).toEqual([
      'add_note.sql: the name does not begin with a number, as in 0007_add_note.sql',
    ]);
  });

  test('tells every problem at once and that nothing was changed', async () => {
    const error = await failureOf(read({ '0001_a.sql': '', '1_b.sql': '', '0003_c.sql': '', 'x.sql': '' }));
    expect(error.facts['problems']).toHaveLength(3);
    expect(error.message).toContain('x.sql');
    expect(error.hint).toContain('Nothing was changed');
  });

  test('ignores folders and other files', async () => {
    const files = await read({
      ...numbered('a'),
      'down/0001_step.sql': 'b',
      'notes.txt': '',
      'old/x.sql': '',
    });
    expect(files.map(({ fileName }) => fileName)).toEqual(['0001_step.sql']);
  });

  test('has the way back beside a file, with line ends as LF', async () => {
    const directory = directoryOf({ ...numbered('a', 'b'), 'down/0002_step.sql': 'undo\r\nb' });
    const [first, second] = await readFolder(directory);
    expect(first?.down).toBeNull();
    expect(second?.down).toEqual({
      fileName: 'down/0002_step.sql',
      path: path.join(directory, 'down', '0002_step.sql'),
      sql: 'undo\nb',
      source: 'undo\nb',
      sending: 'transaction',
    });
  });

  test('names a file in down/ that belongs to no migration', async () => {
    const files = {
      ...numbered('a'),
      'down/README.md': '',
      'down/0002_step.sql': '',
      'down/0001_step.js': '',
    };
    expect((await problemsOf(files)).sort()).toEqual([
      'down/0001_step.js: it belongs to no migration; the way back has the same file name',
      'down/0002_step.sql: it belongs to no migration; the way back has the same file name',
    ]);
  });

  test('that is not there is a configuration error naming it', async () => {
    const missing = path.join(directoryOf({}), 'nowhere');
    const error = await failureOf(readFolder(missing));
    expect(error).toMatchObject({ code: 'MIGRATIONS_UNREADABLE', exit: 3, facts: { directory: missing } });
  });

  test('with a folder named like a migration is refused as unreadable', async () => {
    const directory = directoryOf({ '0001_one.sql': 'select 1' });
    mkdirSync(path.join(directory, '0002_two.sql'));
    const error = await failureOf(readFolder(directory));
    expect(error).toMatchObject({ code: 'MIGRATIONS_UNREADABLE', exit: 3 });
    expect(error.message).toContain('A migration file in');
    expect(error.message).toContain('0002_two.sql');
  });
});

describe('a checksum', () => {
  const text = '-- Grüße 🎉\nselect 1;\n\nselect 2;\n';

  test('is the one postgres-migrations computes', async () => {
    const directory = directoryOf(numbered(text, 'select 3'));
    const theirs = (await loadMigrationFiles(directory)).filter(({ id }) => id > 0);
    const ours = await readFolder(directory);
    expect(ours.map(({ checksum }) => checksum)).toEqual(theirs.map(({ hash }) => hash));
  });

  test('is the same for a Windows checkout and with a byte-order mark', async () => {
    const checksums = await Promise.all(
      [text, text.replaceAll('\n', '\r\n'), `\uFEFF${text}`].map(async (variant) => {
        const [file] = await read(numbered(variant));
        expect(file?.sql).toBe(text);
        return file?.checksum;
      }),
    );
    expect(new Set(checksums).size).toBe(1);
  });

  test('and the digest of a directory change with the text and with the name', async () => {
    const digests = await Promise.all(
      [{ '0001_a.sql': 'x' }, { '0001_a.sql': 'y' }, { '0001_b.sql': 'x' }].map(async (files) =>
        digestOf(await read(files as Record<string, string>)),
      ),
    );
    expect(new Set(digests).size).toBe(3);
  });
});

describe('a migration is found', () => {
  test.each(['2', '0002', '0002_add_note', 'add_note'])('by %s', async (wanted) => {
    const files = await read({ '0001_first.sql': '', '0002_add_note.sql': '' });
    expect(findMigration(files, wanted).id).toBe(2);
  });

  test('or the error says which there are', async () => {
    const files = await read({ '0001_first.sql': '', '0002_add_note.sql': '' });
    const error = await failureOf(Promise.resolve().then(() => findMigration(files, 'note')));
    expect(error).toMatchObject({ code: 'MIGRATION_UNKNOWN', exit: 2 });
    expect(error.hint).toContain('0001_first to 0002_add_note');
  });
});

function range(from: number, to: number): Record<string, string> {
  const ids = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return Object.fromEntries(ids.map((id) => [`${id}_x.sql`, '']));
}
