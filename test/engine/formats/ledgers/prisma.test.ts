import { describe, expect, test } from 'vitest';
import type { LedgerRow } from '../../../../src/engine/formats/ledgers/ledger.js';
import { prismaLedger } from '../../../../src/engine/formats/ledgers/prisma.js';
import { sha256 } from '../../../../src/engine/formats/sections.js';
import { filesOf, saidOf } from './tool-units.js';

const SCRIPT = '-- CreateTable\nCREATE TABLE "a" ("id" INTEGER);\n';
const NAMES = ['20230101000000_first', '20230201000000_second', '20230301000000_third'];
const files = () =>
  filesOf('prisma', {
    'migration_lock.toml': 'provider = "postgresql"\n',
    ...Object.fromEntries(NAMES.map((name) => [`${name}/migration.sql`, SCRIPT])),
  });
const row = (migration_name: string, checksum = sha256(SCRIPT), state: LedgerRow = {}): LedgerRow => ({
  migration_name,
  checksum,
  finished_at: true,
  rolled_back_at: false,
  ...state,
});
const judge = async (...rows: LedgerRow[]) => saidOf(prismaLedger.judge(rows, await files()));
const [first = '', second = '', third = ''] = NAMES;

describe('the ledger of Prisma', () => {
  test('names a file by its folder', async () => {
    expect(await judge(row(first), row(second))).toEqual({ applied: [1, 2], problems: [] });
  });

  test.each([
    ['CRLF', SCRIPT.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${SCRIPT}`],
    ['both', `\uFEFF${SCRIPT.replaceAll('\n', '\r\n')}`],
  ])('may have been made from a checkout with %s', async (_, text) => {
    expect(await judge(row(first, sha256(text)))).toEqual({ applied: [1], problems: [] });
  });

  test('of old has checksums in which no byte has a leading zero', async () => {
    const unpadded = [...Buffer.from(sha256(SCRIPT), 'hex')].map((byte) => byte.toString(16)).join('');
    expect(unpadded.length).toBeLessThan(64);
    expect(await judge(row(first, unpadded))).toEqual({ applied: [1], problems: [] });
  });

  test('shows an edited file', async () => {
    expect(await judge(row(first, sha256('select 1')))).toEqual({
      applied: [1],
      problems: [`edited: ${first}/migration.sql: the text is not what was applied, by its checksum`],
    });
  });

  test('shows a try that began and never finished, with both ways out of it', async () => {
    const judged = prismaLedger.judge([row(first), row(second, '', { finished_at: false })], await files());
    expect(saidOf(judged)).toEqual({
      applied: [1],
      problems: [`dirty: ${second} began and never finished: it may be half applied`],
    });
    expect(judged.problems[0]?.hint).toContain(`prisma migrate resolve --rolled-back ${second}`);
  });

  test('counts no try that was rolled back', async () => {
    const failed = row(second, sha256('something else'), { finished_at: false, rolled_back_at: true });
    expect(await judge(row(first), failed)).toEqual({ applied: [1], problems: [] });
    expect(await judge(row(first), failed, row(second))).toEqual({ applied: [1, 2], problems: [] });
  });

  test('may have gaps, and name what is no file', async () => {
    expect(await judge(row('20230102000000_gone'), row(third), row('20240101000000_new'))).toEqual({
      applied: [3],
      problems: [
        'ahead: It records 20240101000000_new, newer than every file of the directory',
        'unknown: It records 20230102000000_gone, which no file of the directory is',
        `gap: ${first}/migration.sql, ${second}/migration.sql: not recorded as applied, although a later file is`,
      ],
    });
  });
});
