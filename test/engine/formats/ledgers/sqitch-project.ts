/** A project of Sqitch's and what sqitch 1.3.1 wrote when it deployed it: all but times, and who did it. */
export const PROJECT: Record<string, string> = {
  'sqitch.plan':
    '%syntax-version=1.0.0\n%project=shop\n%uri=https://example.org/shop/\n\nusers 2026-11-22T07:15:45Z Ada L <ada@example.org> # Users.\nnotes [users] 2026-11-22T07:15:48Z Ada L <ada@example.org> # Notes\\nof two lines \\\\ and "quotes"\n@v1 2026-11-22T07:15:50Z Ada L <ada@example.org> # First release\n\naudit [users notes@v1] 2026-11-22T07:15:53Z Ada L <ada@example.org> # Audit\n@v2 2026-11-22T07:15:55Z Ada L <ada@example.org> # Second\nusers [users@v2] 2026-11-22T07:15:57Z Ada L <ada@example.org> # Users again\n',
  'deploy/users@v2.sql': '-- Deploy shop:users to pg\n\nBEGIN;\n\nCREATE TABLE users (id int);\n\nCOMMIT;\n',
  'deploy/notes.sql': '-- Deploy shop:notes to pg\n\nBEGIN;\n\nCREATE TABLE notes (id int);\n\nCOMMIT;\n',
  'deploy/audit.sql': '-- Deploy shop:audit to pg\n\nBEGIN;\n\nCREATE TABLE audit (id int);\n\nCOMMIT;\n',
  'deploy/users.sql': '-- Deploy shop:users to pg\nBEGIN;\nALTER TABLE users ADD note text;\nCOMMIT;\n',
};

type Row = Record<string, unknown>;

export const WRITTEN: Record<'projects' | 'changes' | 'dependencies' | 'tags' | 'events', Row[]> = {
  projects: [
    {
      project: 'shop',
      uri: 'https://example.org/shop/',
    },
  ],
  changes: [
    {
      change_id: 'dba13065fc3b41291c94629a34b3950ae8823348',
      script_hash: '19cc4633b13e94700367800b158ed81a324aa727',
      change: 'users',
      project: 'shop',
      note: 'Users.',
      planned_at: '2026-11-22T07:15:45+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
    {
      change_id: 'e28bdc2f7663d2289643839f5a16c929a0765e77',
      script_hash: 'dd082fbfd83617e761d400aac6cf14a7ca04e16a',
      change: 'notes',
      project: 'shop',
      note: 'Notes\nof two lines \\ and "quotes"',
      planned_at: '2026-11-22T07:15:48+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
    {
      change_id: 'bab3a45512b508121e019b88dba2a63419ae413d',
      script_hash: '28cc2d61a63fde450aae8f9a49047e52ae70634c',
      change: 'audit',
      project: 'shop',
      note: 'Audit',
      planned_at: '2026-11-22T07:15:53+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
    {
      change_id: '20f61e3f596a7530c0ef8085673e332544c4a530',
      script_hash: '83ff4b06df38ffe2c528c909b51e74d681f975cd',
      change: 'users',
      project: 'shop',
      note: 'Users again',
      planned_at: '2026-11-22T07:15:57+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
  ],
  dependencies: [
    {
      change_id: '20f61e3f596a7530c0ef8085673e332544c4a530',
      type: 'require',
      dependency: 'users@v2',
      dependency_id: 'dba13065fc3b41291c94629a34b3950ae8823348',
    },
    {
      change_id: 'bab3a45512b508121e019b88dba2a63419ae413d',
      type: 'require',
      dependency: 'notes@v1',
      dependency_id: 'e28bdc2f7663d2289643839f5a16c929a0765e77',
    },
    {
      change_id: 'bab3a45512b508121e019b88dba2a63419ae413d',
      type: 'require',
      dependency: 'users',
      dependency_id: 'dba13065fc3b41291c94629a34b3950ae8823348',
    },
    {
      change_id: 'e28bdc2f7663d2289643839f5a16c929a0765e77',
      type: 'require',
      dependency: 'users',
      dependency_id: 'dba13065fc3b41291c94629a34b3950ae8823348',
    },
  ],
  tags: [
    {
      tag_id: 'b7ea1cbe95bf37deac06e8b61a39354c97160a04',
      tag: '@v1',
      project: 'shop',
      change_id: 'e28bdc2f7663d2289643839f5a16c929a0765e77',
      note: 'First release',
      planned_at: '2026-11-22T07:15:50+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
    {
      tag_id: '364950a37084cc94d5cf3f77e8282785132b334f',
      tag: '@v2',
      project: 'shop',
      change_id: 'bab3a45512b508121e019b88dba2a63419ae413d',
      note: 'Second',
      planned_at: '2026-11-22T07:15:55+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
  ],
  events: [
    {
      event: 'deploy',
      change_id: 'dba13065fc3b41291c94629a34b3950ae8823348',
      change: 'users',
      project: 'shop',
      note: 'Users.',
      requires: [],
      conflicts: [],
      tags: [],
      planned_at: '2026-11-22T07:15:45+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
    {
      event: 'deploy',
      change_id: 'e28bdc2f7663d2289643839f5a16c929a0765e77',
      change: 'notes',
      project: 'shop',
      note: 'Notes\nof two lines \\ and "quotes"',
      requires: ['users'],
      conflicts: [],
      tags: ['@v1'],
      planned_at: '2026-11-22T07:15:48+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
    {
      event: 'deploy',
      change_id: 'bab3a45512b508121e019b88dba2a63419ae413d',
      change: 'audit',
      project: 'shop',
      note: 'Audit',
      requires: ['users', 'notes@v1'],
      conflicts: [],
      tags: ['@v2'],
      planned_at: '2026-11-22T07:15:53+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
    {
      event: 'deploy',
      change_id: '20f61e3f596a7530c0ef8085673e332544c4a530',
      change: 'users',
      project: 'shop',
      note: 'Users again',
      requires: ['users@v2'],
      conflicts: [],
      tags: [],
      planned_at: '2026-11-22T07:15:57+00:00',
      planner_name: 'Ada L',
      planner_email: 'ada@example.org',
    },
  ],
};

/** The registry as sqitch 1.3.1 makes it, without comments. */
export function registryTables(registry: string): string {
  return `create schema ${registry};
      create table ${registry}.projects (project text primary key, uri text unique,
        created_at timestamptz not null default clock_timestamp(), creator_name text not null, creator_email text not null);
      create table ${registry}.changes (change_id text primary key, script_hash text, change text not null,
        project text not null references ${registry}.projects on update cascade, note text not null default '',
        committed_at timestamptz not null default clock_timestamp(), committer_name text not null, committer_email text not null,
        planned_at timestamptz not null, planner_name text not null, planner_email text not null, unique (project, script_hash));
      create table ${registry}.tags (tag_id text primary key, tag text not null,
        project text not null references ${registry}.projects on update cascade,
        change_id text not null references ${registry}.changes on update cascade, note text not null default '',
        committed_at timestamptz not null default clock_timestamp(), committer_name text not null, committer_email text not null,
        planned_at timestamptz not null, planner_name text not null, planner_email text not null, unique (project, tag));
      create table ${registry}.dependencies (change_id text not null references ${registry}.changes on update cascade on delete cascade,
        type text not null, dependency text not null, dependency_id text references ${registry}.changes on update cascade
          constraint dependencies_check check ((type = 'require' and dependency_id is not null) or (type = 'conflict' and dependency_id is null)),
        primary key (change_id, dependency));
      create table ${registry}.events (event text not null check (event in ('deploy', 'revert', 'fail', 'merge')),
        change_id text not null, change text not null, project text not null references ${registry}.projects on update cascade,
        note text not null default '', requires text[] not null default '{}', conflicts text[] not null default '{}',
        tags text[] not null default '{}', committed_at timestamptz not null default clock_timestamp(),
        committer_name text not null, committer_email text not null, planned_at timestamptz not null,
        planner_name text not null, planner_email text not null, primary key (change_id, committed_at));
      insert into ${registry}.projects values ('shop', 'https://example.org/shop/', default, 'Ada L', 'ada@example.org');`;
}
