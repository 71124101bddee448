import { conflictError } from '../../../core/errors.js';
import { positionAt } from '../../../core/source-position.js';
import { ident, raw, sql } from '../../../pg/sql.js';
import type { Step } from './step.js';

/**
 * Makes sure that an index which is there is the one that the file asks for. The server itself says so: the
 * statement is run on an empty copy of the table, and both are printed.
 * @throws conflict `INDEX_DIFFERS` (exit 5) with both definitions
 */
export async function requireSameDefinition(step: Step, schema: string, index: string): Promise<void> {
  const found = await definitionOf(step, schema, index);
  const wanted = await wantedDefinition(step, schema, index);
  if (found !== wanted) throw differs(step, index, found, wanted);
}

/** Without the schema of the table, which a copy has not. */
async function definitionOf({ connection }: Step, schema: string, index: string): Promise<string> {
  const temporary = schema === TEMPORARY;
  const row = await connection.row<{ definition: string }>(sql`
    select replace(pg_get_indexdef(i.indexrelid), format(' ON %I.%I ', ${schema}::text, t.relname), format(' ON %I ', t.relname))
           as definition
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
      join pg_namespace n on n.oid = c.relnamespace
     where c.relname = ${index} and case when ${temporary} then n.oid = pg_my_temp_schema() else n.nspname = ${schema} end`);
  return row?.definition ?? '';
}

/** A temporary table is found before others by its bare name, so the statement takes the copy for the table. */
async function wantedDefinition(step: Step, schema: string, index: string): Promise<string> {
  const { connection, migration, statement } = step;
  const table = (statement.body['relation'] as { relname: string }).relname;
  const text = migration.freshSql.slice(statement.start, statement.end).replace(SCHEMA_OF_TABLE, '$1');
  return connection.transaction(async () => {
    await connection.execute(
      sql`create temporary table ${ident(table)} (like ${ident(schema, table)}) on commit drop`,
    );
    await connection.execute(raw(text));
    return definitionOf(step, TEMPORARY, index);
  });
}

/** How the server prints the schema of temporary tables. */
const TEMPORARY = 'pg_temp';
const SCHEMA_OF_TABLE = /(\son\s+(?:only\s+)?)(?:"(?:[^"]|"")+"|\w+)\s*\.\s*/i;

function differs({ target, migration, statement }: Step, index: string, found: string, wanted: string) {
  const { line } = positionAt(migration.sql, statement.start);
  return conflictError(
    'INDEX_DIFFERS',
    `${target.unit.id}: ${migration.fileName}:${line}: there is another index ${index} already.\n  there:  ${found}\n  wanted: ${wanted}`,
    {
      hint: 'Drop or rename the one that is there, or give this one another name.',
      facts: {
        unit: target.unit.id,
        migration: migration.name,
        file: migration.path,
        line,
        index,
        found,
        wanted,
      },
    },
  );
}
