import { describe, expect, test } from 'vitest';
import { sqitchLedger } from '../../../../src/engine/formats/ledgers/sqitch.js';
import type { LedgerRow } from '../../../../src/engine/formats/ledgers/ledger.js';
import { PROJECT, WRITTEN } from './sqitch-project.js';
import { filesOf, saidOf } from './tool-units.js';

const files = (more: Record<string, string> = {}) => filesOf('sqitch', { ...PROJECT, ...more });
const judge = async (rows: LedgerRow[], more?: Record<string, string>) =>
  saidOf(sqitchLedger.judge(rows, await files(more)));
const [users, notes, audit] = WRITTEN.changes as [LedgerRow, LedgerRow, LedgerRow];

describe('the registry of Sqitch', () => {
  test('names a change by its id, which the plan gives', async () => {
    expect(await judge(WRITTEN.changes)).toEqual({ applied: [1, 2, 3, 4], problems: [] });
    expect(await judge([users, notes])).toEqual({ applied: [1, 2], problems: [] });
  });

  test('may hold changes of other projects, which are none of ours', async () => {
    expect(await judge([users, { ...notes, change_id: 'f00', project: 'other' }])).toEqual({
      applied: [1],
      problems: [],
    });
  });

  test('shows an edited script, and takes line ends as they come', async () => {
    const script = PROJECT['deploy/notes.sql'] as string;
    expect(await judge([users, notes], { 'deploy/notes.sql': script.replaceAll('\n', '\r\n') })).toEqual({
      applied: [1, 2],
      problems: [],
    });
    expect(await judge([users, notes], { 'deploy/notes.sql': `${script}-- more\n` })).toEqual({
      applied: [1, 2],
      problems: ['edited: deploy/notes.sql: the text is not what was applied, by its checksum'],
    });
  });

  test('shows a plan that says something else than when it was deployed', async () => {
    const plan = PROJECT['sqitch.plan']!.replace('# Audit', '# Audited');
    expect(await judge([users, notes, audit], { 'sqitch.plan': plan })).toEqual({
      applied: [1, 2, 3],
      problems: [
        'edited: audit: the plan says something else of it, or of a change before it, than when it was deployed',
      ],
    });
  });

  test('may have gaps, and name what is no change of the plan', async () => {
    const stranger = { ...notes, change_id: 'f00', change: 'gone' };
    expect(await judge([users, stranger, audit])).toEqual({
      applied: [1, 3],
      problems: [
        'unknown: It records gone, which no file of the directory is',
        'gap: deploy/notes.sql: not recorded as applied, although a later file is',
      ],
    });
    expect((await judge([...WRITTEN.changes, { ...stranger, change: 'new' }])).problems).toEqual([
      'ahead: It records new, newer than every file of the directory',
    ]);
  });

  test('has one lock for a whole database', () => {
    expect(sqitchLedger.lockKey({ tool: 'sqitch', schema: 'sqitch', table: 'changes' }, 'app')).toBe(
      75474063n,
    );
  });

  test('cannot be written for a change that needs one of another project', async () => {
    const plan = PROJECT['sqitch.plan']!.replace('[users]', '[users base:roles]');
    const [, second] = await files({ 'sqitch.plan': plan });
    expect(sqitchLedger.mirror.applied(second!)).toBeNull();
  });
});
