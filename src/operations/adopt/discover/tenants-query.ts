import { isTenantctlError, usageError } from '../../../core/errors.js';
import type { FleetSettings } from '../../../core/settings.js';
import type { Connection } from '../../../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../../../pg/errors.js';
import { raw, sql } from '../../../pg/sql.js';
import { LIST_COLUMNS } from '../list/columns.js';
import { RowProblem } from '../list/row-problem.js';
import { listedTenant } from '../list/tenant.js';
import type { Found } from './found.js';
import { readOnly, searchPath } from './read-only.js';

/** The table, or its schema, is not in this database: it may be in another one. */
const NOT_THERE = new Set(['42P01', '3F000']);
const KNOWN: ReadonlySet<string> = new Set([...LIST_COLUMNS, 'labels']);
const PLACE = ['database', 'schema', 'pool'];
const LABEL = /^label\.(.+)$/;

type Cells = Record<string, string | null>;

interface Row {
  cells: Cells;
  /** What a column `labels` holds, where it is an object. */
  labels: Cells | null;
}

/** Where the query is asked. */
export interface QueryPlace {
  cluster: string;
  /** Schemas of the pools that are in the database. */
  pools: readonly string[];
}

export interface Queried {
  found: Found[];
  problems: string[];
}

/**
 * What a query of the user's lists, in the columns of the list. It runs in a transaction that cannot write. A row that
 * cannot be is a problem.
 * @returns null where its table is not in this database
 * @throws usage error `DISCOVER_SQL` (exit 2) when it cannot be run, or has columns that no list has
 */
export async function queriedTenants(
  session: Connection,
  query: string,
  place: QueryPlace,
  settings: FleetSettings,
): Promise<Queried | null> {
  const path = [...place.pools, 'public', settings.tenancy.extensionsSchema];
  const rows = await readOnly(session, () => ask(session, query), [searchPath(path)]).catch(
    (error: unknown) => {
      if (!isDatabaseError(error)) throw error;
      if (NOT_THERE.has(error.code)) return null;
      throw refused(session, error);
    },
  );
  if (rows === null) return null;
  const result: Queried = { found: [], problems: [] };
  rows.forEach((row, at) => {
    refuseOddColumns(row.cells);
    try {
      result.found.push(toFound(row, session.database, place, settings));
    } catch (error) {
      if (!(error instanceof RowProblem) && !isTenantctlError(error)) throw error;
      result.problems.push(`row ${at + 1} of --sql: ${error.message}`);
    }
  });
  return result;
}

/** With a parameter it is one statement for the server, whatever the text holds. */
function ask(session: Connection, query: string): Promise<Row[]> {
  const text = raw(query.trim().replace(/;\s*$/, ''));
  return session.rows(sql`
    select (select json_object_agg(c.key, c.value) from json_each_text(row_to_json(q)) c) as cells,
           (select json_object_agg(l.key, l.value) from json_each_text(
             case json_typeof(row_to_json(q) -> 'labels') when 'object' then row_to_json(q) -> 'labels' end) l) as labels
      from (${text}
      ) q where ${true}::boolean`);
}

function refused(session: Connection, error: DatabaseError): Error {
  return usageError('DISCOVER_SQL', `--sql: database ${session.database} says: ${error.message}`, {
    hint: 'It is one SELECT that only reads; its columns are those of the list, such as id and "tenantKey".',
    facts: { option: '--sql', database: session.database, sqlstate: error.code },
    cause: error,
  });
}

function refuseOddColumns(cells: Cells): void {
  const odd = Object.keys(cells).find((name) => !KNOWN.has(name) && !LABEL.test(name));
  if (odd === undefined) return;
  throw usageError('DISCOVER_SQL', `--sql gives the column ${JSON.stringify(odd)}, which no list has.`, {
    hint: `Name columns with "as": ${LIST_COLUMNS.join(', ')}, "label.<name>"; names with capitals need double quotes.`,
    facts: { option: '--sql', column: odd },
  });
}

function toFound(row: Row, database: string, { cluster, pools }: QueryPlace, settings: FleetSettings): Found {
  const given = new Map(
    Object.entries(row.cells).flatMap(([name, text]) => (text ? [[name, text] as const] : [])),
  );
  const name = given.get('id') ?? given.get('tenantKey') ?? given.get('schema') ?? given.get('database');
  if (name === undefined) throw new RowProblem('it names nobody: none of id, tenantKey, schema, database');
  if (!given.has('tier') && !given.has('plan')) given.set('tier', tierBy(given));
  if (!given.has('cluster')) given.set('cluster', cluster);
  // Whoever names no place is in a pool: in one of this very database, where it has some.
  if (pools.length > 0 && PLACE.every((column) => !given.has(column))) given.set('database', database);
  return { name, ...listedTenant(given, settings), labels: labelsOf(row) };
}

/** Whoever has a schema lives in it, whoever has a database alone has it to itself, and a bare key is that of a pool. */
function tierBy(given: ReadonlyMap<string, string>): string {
  if (given.has('schema')) return 'schema';
  return given.has('database') ? 'database' : 'pool';
}

/** `labels` may be an object, or each a column. */
function labelsOf({ cells, labels }: Row): Record<string, string> {
  const own = Object.entries(cells).flatMap(([column, text]) => {
    const name = LABEL.exec(column)?.[1];
    return name === undefined ? [] : [[name, text] as const];
  });
  const all = [...Object.entries(labels ?? {}), ...own];
  return Object.fromEntries(all.filter((pair): pair is [string, string] => (pair[1] ?? '') !== ''));
}
