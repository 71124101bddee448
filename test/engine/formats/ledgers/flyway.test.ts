import { describe, expect, test } from 'vitest';
import { checksumOf, flywayLedger } from '../../../../src/engine/formats/ledgers/flyway.js';
import type { LedgerRow } from '../../../../src/engine/formats/ledgers/ledger.js';
import { filesOf, saidOf } from './tool-units.js';

const TEXTS = {
  'V1__first.sql': 'create table a(id int);\n',
  'V1.1__second.sql': 'create table b(id int);\n',
  'V2__third.sql': 'create table c(id int);\n',
};
const files = () => filesOf('flyway', TEXTS);
const row = (version: string | null, more: LedgerRow = {}): LedgerRow => ({
  version,
  description: 'any',
  type: 'SQL',
  script: `V${version}__any.sql`,
  checksum: null,
  success: true,
  ...more,
});
const judge = async (...rows: LedgerRow[]) => saidOf(flywayLedger.judge(rows, await files()));

describe('the checksum of Flyway', () => {
  const checksum = async (text: string) => checksumOf((await filesOf('flyway', { 'V1__a.sql': text }))[0]!);

  // By java.util.zip.CRC32 and BufferedReader.readLine, as Flyway computes it.
  test.each([
    ['create table a(id int);', -1193849269],
    ['create table a(id int);\n', -1193849269],
    ['create table a(id int);\r\n', -1193849269],
    ['\uFEFFcreate table a(id int);', -1193849269],
    ['create \rtable a(\nid int);', -1193849269],
    ['-- é\nselect 1;\n', 446599626],
  ])('of %j is signed, over lines without their ends', async (text, expected) => {
    expect(await checksum(text)).toBe(expected);
  });
});

describe('the ledger of Flyway', () => {
  test('names a file by its version, however that is written', async () => {
    const [first] = await files();
    expect(await judge(row('001.0', { checksum: checksumOf(first!) }), row('1.1.0'))).toEqual({
      applied: [1, 2],
      problems: [],
    });
  });

  test('shows an edited file', async () => {
    expect(await judge(row('1', { checksum: 1 }))).toEqual({
      applied: [1],
      problems: ['edited: V1__first.sql: the text is not what was applied, by its checksum'],
    });
  });

  test('shows a try that failed, of a repeatable script as well', async () => {
    expect(
      await judge(
        row('1'),
        row('1.1', { success: false }),
        row(null, { script: 'R__views.sql', success: false }),
      ),
    ).toEqual({
      applied: [1],
      problems: ['dirty: V1.1__any.sql, R__views.sql failed: it may be half applied'],
    });
  });

  test('leaves repeatable scripts and the schema that it made to Flyway', async () => {
    expect(
      await judge(
        row(null, { type: 'SCHEMA', script: '"tenant_a"' }),
        row('1'),
        row(null, { script: 'R__views.sql' }),
      ),
    ).toEqual({ applied: [1], problems: [] });
  });

  test.each(['UNDO_SQL', 'DELETE'])('takes a %s for taken back', async (type) => {
    expect(await judge(row('1'), row('1.1'), row('1.1', { type }))).toEqual({ applied: [1], problems: [] });
    expect((await judge(row('1'), row('1.1'), row('1.1', { type }), row('1.1'))).applied).toEqual([1, 2]);
  });

  test.each(['BASELINE', 'SQL_BASELINE'])('with a %s believes all files up to it', async (type) => {
    const judged = flywayLedger.judge([row('1.1', { type }), row('2')], await files());
    expect(judged).toEqual({ applied: [1, 2, 3], inferred: [1, 2], problems: [] });
    expect(await judge(row('0.5'), row('1.1', { type }))).toEqual({ applied: [1, 2], problems: [] });
  });

  test('may have rows of what a baseline script stands for now', async () => {
    const squashed = await filesOf('flyway', { 'B2__all.sql': 'select 1;', 'V3__next.sql': 'select 2;' });
    const said = (...rows: LedgerRow[]) => saidOf(flywayLedger.judge(rows, squashed));
    expect(said(row('1'), row('1.1'), row('2', { checksum: 7 }), row('3'))).toEqual({
      applied: [1, 2],
      problems: [],
    });
    expect(said(row('1'), row('1.1')).problems).toEqual([
      'unknown: It records V1__any.sql, V1.1__any.sql, which no file of the directory is',
    ]);
  });

  test('may have gaps, and name what is no file', async () => {
    expect(await judge(row('0.1'), row('2'), row('2.1'))).toEqual({
      applied: [3],
      problems: [
        'ahead: It records V2.1__any.sql, newer than every file of the directory',
        'unknown: It records V0.1__any.sql, which no file of the directory is',
        'gap: V1__first.sql, V1.1__second.sql: not recorded as applied, although a later file is',
      ],
    });
  });

  // By Java's String.hashCode over the quoted names.
  test.each([
    ['tenant_a', 77432872662058n],
    ['public', 77433833903597n],
    ['we"ird é', 77433829678436n],
  ])('has a lock for schema %s of its own', (schema, key) => {
    expect(flywayLedger.lockKey({ tool: 'flyway', schema, table: 'flyway_schema_history' }, 'app')).toBe(key);
  });
});
