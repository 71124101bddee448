import type { LintRule, Sighting } from '../rule.js';
import type { Script } from '../script.js';

export const psqlCommand: LintRule = {
  name: 'psql-command',
  check: 'migrations',
  level: 'error',
  down: true,
  final: true,
  summary:
    'Something that only psql understands: a backslash command, a variable, or rows after COPY … FROM STDIN.',
  explanation:
    'Migrations are sent to the server, which knows nothing of psql. Dumps and scripts that were run with `psql -f` hold such lines.',
  remedy: 'Say it in SQL, or leave it out.',
  bad: String.raw`\set ON_ERROR_STOP on
alter table invoice add column note text;`,
  good: 'alter table invoice add column note text;',
  file: ({ script }) => {
    const seen = script.syntaxError === null ? null : seenAt(script, script.syntaxError.at);
    return seen === null ? [] : [seen];
  },
};

/** What of psql's stands where the grammar stopped, or null. */
export function seenAt({ file: { sql } }: Pick<Script, 'file'>, at: number): Sighting | null {
  const [line = ''] = /^[^\n\r]*/.exec(sql.slice(at)) ?? [];
  const command = /^\\(\w+|[!?.;])/.exec(line)?.[1];
  if (command !== undefined)
    return {
      at,
      message: `${line.trim().slice(0, 60)} is a command of psql.`,
      hint: INSTEAD[command] ?? OTHER,
    };
  if (/^:(?:\w|'\w|"\w)/.test(line))
    return { at, message: `${/^:['"]?\w+['"]?/.exec(line)?.[0]} is a variable of psql.`, hint: VARIABLE };
  const before = sql.slice(0, at);
  if (/\bcopy\b[^;]*\bfrom\s+stdin\b[^;]*;\s*$/i.test(before))
    return { at, message: 'Rows after COPY … FROM STDIN are read by psql alone.', hint: ROWS };
  return null;
}

const ROWS = 'Write the rows as INSERT, or give them to new tenants by `provision.seed`.';
const VARIABLE = 'Write the value itself; what differs from tenant to tenant is in `current_setting`.';
const OTHER = 'Leave it out.';
const INCLUDED =
  'Put the statements of that file here: a migration is one file, and its checksum is of that.';
const CONNECTED = 'Leave it out: the tool chooses the home, and runs the file in each.';
const SETTING = 'Leave it out: a file is applied whole or not at all.';

const INSTEAD: Readonly<Record<string, string>> = {
  i: INCLUDED,
  ir: INCLUDED,
  include: INCLUDED,
  include_relative: INCLUDED,
  c: CONNECTED,
  connect: CONNECTED,
  copy: ROWS,
  '.': ROWS,
  set: SETTING,
  gset: VARIABLE,
  restrict: 'Leave it out, and `\\unrestrict` as well: pg_dump writes them for psql.',
  unrestrict: 'Leave it out, and `\\restrict` as well: pg_dump writes them for psql.',
};
