import type { Connection, MessageResult } from '../../pg/connection.js';
import { ident, literal, sql } from '../../pg/sql.js';
import { TIME_LEFT } from './overtime.js';

export const COMMANDS = [
  'SELECT',
  'SELECT FOR UPDATE',
  'COPY',
  'INSERT',
  'INSERT ON CONFLICT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'TRUNCATE',
] as const;
export type Command = (typeof COMMANDS)[number];

/** One statement by which a tenant may reach what is another's. It is always taken back. */
export interface Attempt {
  command: Command;
  /** How it is tried, for people: `by key`. */
  how: string;
  statement: string;
  /** What goes before it; it may fail. */
  prepare?: string;
  /** As whom, where it is not the session's role. */
  role?: string;
  /** Does the statement give a number, or count the rows that it touches? */
  counts?: true;
  /** Gives the rows of the other tenant that are too many, in its context: a trigger may have made another row of it. */
  confirm?: { key: string; statement: string };
  /** Constraints that alone say whose row was let through to them, where a trigger may have changed it. */
  constraints?: readonly string[];
  /** SQLSTATEs of checks that come after the policies: the row was let through to them. */
  passed?: readonly string[];
  /** SQLSTATEs that only say that it cannot be tried in this way. */
  notSo?: readonly string[];
}

export interface Outcome {
  attempt: Attempt;
  /** Null when it failed. */
  rows: number | null;
  state: string;
  message: string;
  constraint: string;
}

/** Raised within the block by ourselves, so that what has succeeded is taken back like the rest. */
const DONE = 'TCPR0';

/** The statements that make all attempts, each in a subtransaction that is rolled back, and leave their outcomes. */
export function attemptScript(attempts: readonly Attempt[], setting?: string): string {
  const list = attempts.map(({ role, prepare, statement, counts, confirm }) => ({
    role,
    prepare,
    statement,
    counts: counts === true,
    setting,
    key: confirm?.key,
    confirm: confirm?.statement,
  }));
  const body = `
declare
  a record; n bigint; s text; m text; c text; o jsonb := '[]';
begin
  for a in select * from jsonb_to_recordset(${literal(JSON.stringify(list))}::jsonb) as x (role text, prepare text, statement text, counts boolean, setting text, key text, confirm text) loop
    begin
      if a.role is not null then execute format('set local role %I', a.role); end if;
      if a.prepare is not null then
        begin execute a.prepare; exception when others then null; end;
      end if;
      if a.counts then execute a.statement into n;
      else execute a.statement; get diagnostics n = row_count;
      end if;
      if n > 0 and a.confirm is not null then
        perform set_config(a.setting, a.key, true);
        execute a.confirm into n;
      end if;
      raise exception using errcode = '${DONE}', message = n::text;
    exception when others then
      get stacked diagnostics s = returned_sqlstate, m = message_text, c = constraint_name;
      o := o || jsonb_build_object('state', s, 'message', m, 'constraint', c);
    end;
  end loop;
  perform set_config('tenantctl.probed', o::text, true);
end`;
  return `do ${literal(body)}; select current_setting('tenantctl.probed') as probed`;
}

/** The outcomes of the n-th script in a message. */
export function outcomesOf(
  results: readonly MessageResult[],
  n: number,
  attempts: readonly Attempt[],
): Outcome[] {
  const probed = results.filter(({ rows }) => rows[0]?.['probed'] !== undefined)[n];
  const list = JSON.parse(String(probed?.rows[0]?.['probed'])) as Omit<Outcome, 'attempt' | 'rows'>[];
  return list.map((outcome, index) => ({
    ...outcome,
    message: withoutValues(outcome),
    attempt: attempts[index] as Attempt,
    rows: outcome.state === DONE ? Number(outcome.message) : null,
  }));
}

/** Where a value cannot be read the server quotes it, and it may be out of the row of a tenant that lives here. */
export function withoutValues({ state, message }: Pick<Outcome, 'state' | 'message'>): string {
  return state.startsWith('22') ? message.replaceAll(/"[^"]+"/g, '"…"') : message;
}

/** What a session has set when something is tried; null leaves the setting as it is. */
export function asRole(
  role: string,
  setting: string,
  key: string | null,
  schemas: readonly string[],
): string {
  const path = schemas.map((schema) => ident(schema).text()).join(', ');
  const context = key === null ? [] : [sql`select set_config(${setting}, ${key}, true)`.text()];
  return [
    'set local role none',
    sql`select set_config('tenantctl.scope', '', true), set_config('search_path', ${path}, true)`.text(),
    ...context,
    TIME_LEFT,
    `set local role ${ident(role).text()}`,
  ].join('; ');
}

/** Rows that a COPY of these queries would write out, for each of them. */
export async function copyCounts(
  session: Connection,
  become: string,
  queries: readonly string[],
): Promise<number[]> {
  const copies = queries.map((query) => `copy ${query} to stdout`).join('; ');
  const results = await session.message(
    `savepoint copied; ${become}; ${copies}; rollback to savepoint copied`,
  );
  return results.filter(({ command }) => command === 'COPY').map(({ rowCount }) => rowCount);
}
