import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { sqitchLedger } from '../../../../src/engine/formats/ledgers/sqitch.js';
import type { LedgerRow } from '../../../../src/engine/formats/ledgers/ledger.js';
import { PROJECT, WRITTEN } from './sqitch-project.js';
import { filesOf, saidOf, useToolUnits } from './tool-units.js';

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
});

describe('the tables of Sqitch', () => {
  const newUnit = useToolUnits();

  /** As sqitch 1.3.1 makes them, without comments. */
  const install = (client: pg.Client) =>
    client.query(`create schema sqitch;
      create table sqitch.projects (project text primary key, uri text unique,
        created_at timestamptz not null default clock_timestamp(), creator_name text not null, creator_email text not null);
      create table sqitch.changes (change_id text primary key, script_hash text, change text not null,
        project text not null references sqitch.projects on update cascade, note text not null default '',
        committed_at timestamptz not null default clock_timestamp(), committer_name text not null, committer_email text not null,
        planned_at timestamptz not null, planner_name text not null, planner_email text not null, unique (project, script_hash));
      create table sqitch.tags (tag_id text primary key, tag text not null,
        project text not null references sqitch.projects on update cascade,
        change_id text not null references sqitch.changes on update cascade, note text not null default '',
        committed_at timestamptz not null default clock_timestamp(), committer_name text not null, committer_email text not null,
        planned_at timestamptz not null, planner_name text not null, planner_email text not null, unique (project, tag));
      create table sqitch.dependencies (change_id text not null references sqitch.changes on update cascade on delete cascade,
        type text not null, dependency text not null, dependency_id text references sqitch.changes on update cascade
          constraint dependencies_check check ((type = 'require' and dependency_id is not null) or (type = 'conflict' and dependency_id is null)),
        primary key (change_id, dependency));
      create table sqitch.events (event text not null check (event in ('deploy', 'revert', 'fail', 'merge')),
        change_id text not null, change text not null, project text not null references sqitch.projects on update cascade,
        note text not null default '', requires text[] not null default '{}', conflicts text[] not null default '{}',
        tags text[] not null default '{}', committed_at timestamptz not null default clock_timestamp(),
        committer_name text not null, committer_email text not null, planned_at timestamptz not null,
        planner_name text not null, planner_email text not null, primary key (change_id, committed_at));
      insert into sqitch.projects values ('shop', 'https://example.org/shop/', default, 'Ada L', 'ada@example.org');`);

  const held = async (client: pg.Client, table: string): Promise<unknown[]> => {
    const { rows } = await client.query(
      `select to_jsonb(t) - '{committed_at,committer_name,committer_email}'::text[] as row from sqitch.${table} t
        order by ${table === 'dependencies' ? 't::text' : 'committed_at'}`,
    );
    return rows.map(({ row }) => row);
  };

  test('hold after ours what they hold after its own', async () => {
    const unit = await newUnit();
    await install(unit.client);
    await unit.client.query("set timezone = 'UTC'");
    for (const file of await files()) await unit.write(sqitchLedger, sqitchLedger.mirror.applied(file));
    for (const table of ['changes', 'tags', 'events'] as const)
      expect(await held(unit.client, table)).toEqual(WRITTEN[table]);
    const links = await held(unit.client, 'dependencies');
    expect(links).toHaveLength(WRITTEN.dependencies.length);
    expect(links).toEqual(expect.arrayContaining(WRITTEN.dependencies));
  });

  test('lose what is taken back, and tell of it', async () => {
    const unit = await newUnit();
    await install(unit.client);
    const [one, two, ...rest] = await files();
    const all = [one!, two!, ...rest];
    for (const file of all) await unit.write(sqitchLedger, sqitchLedger.mirror.applied(file));
    for (const file of all.slice(1).toReversed())
      await unit.write(sqitchLedger, sqitchLedger.mirror.takenBack(file, one!));
    expect(saidOf(sqitchLedger.judge(await unit.rows(sqitchLedger), all))).toEqual({
      applied: [1],
      problems: [],
    });
    expect(await held(unit.client, 'tags')).toEqual([]);
    expect((await held(unit.client, 'events')).at(-1)).toMatchObject({ event: 'revert', change: 'notes' });
  });

  test('cannot be written for a change that needs one of another project', async () => {
    const plan = PROJECT['sqitch.plan']!.replace('[users]', '[users base:roles]');
    const [, second] = await files({ 'sqitch.plan': plan });
    expect(sqitchLedger.mirror.applied(second!)).toBeNull();
  });
});
