import { describe, expect, test } from 'vitest';
import { djangoLedger } from '../../../../src/engine/formats/ledgers/django.js';
import { filesOf, saidOf } from './tool-units.js';

const files = () =>
  filesOf('postgres-migrations', {
    '0001_invoicing.0012_last_before.sql': 'create table a ();',
    '0002_invoicing.0013_notes.sql': 'create table b ();',
    '0003_billing.0001_initial.sql': 'create table c ();',
  });
const judge = async (...migrations: string[]) =>
  saidOf(
    djangoLedger.judge(
      migrations.map((migration) => {
        const [app, name] = migration.split('.');
        return { app, name };
      }),
      await files(),
    ),
  );

describe('the ledger of Django', () => {
  test('names a file by app and name after our number', async () => {
    expect(await judge('invoicing.0012_last_before', 'invoicing.0013_notes')).toEqual({
      applied: [1, 2],
      problems: [],
    });
  });

  test('may have what the first file stands for: other apps whole, and its own app up to there, in any order', async () => {
    const others = ['contenttypes.0001_initial', 'invoicing.0001_initial', 'sessions.0001_initial'];
    expect(await judge(...others, 'invoicing.0012_last_before')).toEqual({ applied: [1], problems: [] });
    expect(await judge('invoicing.0012_last_before', ...others)).toEqual({ applied: [1], problems: [] });
  });

  test('may be in the midst of what the first file stands for', async () => {
    const judged = djangoLedger.judge([{ app: 'invoicing', name: '0011_earlier' }], await files());
    expect(saidOf(judged)).toEqual({
      applied: [],
      problems: [
        'unknown: It stands at invoicing.0011_earlier, in the midst of what 0001_invoicing.0012_last_before.sql stands for',
      ],
    });
    expect(judged.problems[0]?.hint).toContain('`manage.py migrate invoicing 0012_last_before`');
  });

  test('may have gaps, and name what is no file', async () => {
    expect(
      await judge(
        'invoicing.0012_last_before',
        'invoicing.0012_other_leaf',
        'billing.0001_initial',
        'billing.0002_more',
      ),
    ).toEqual({
      applied: [1, 3],
      problems: [
        'ahead: It records billing.0002_more, newer than every file of the directory',
        'unknown: It records invoicing.0012_other_leaf, which no file of the directory is',
        'gap: 0002_invoicing.0013_notes.sql: not recorded as applied, although a later file is',
      ],
    });
  });

  test('cannot tell of a file of another name', async () => {
    const [ours] = await filesOf('postgres-migrations', { '0001_add_note.sql': '' });
    expect(djangoLedger.mirror.applied(ours!)).toBeNull();
  });
});
