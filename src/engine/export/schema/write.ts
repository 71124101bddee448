import type { ExportedSequence } from '../../../core/export-manifest.js';
import { TOOL_VERSION } from '../../../core/version.js';
import { type Sql, ident, literal, raw, sql } from '../../../pg/sql.js';
import type { ExportPlan, PlannedTable } from '../plan.js';
import type { Snapshot } from '../snapshot.js';
import {
  type LateStatement,
  constraintsOf,
  extensionsOf,
  indexesOf,
  ownershipsOf,
  rulesOf,
  triggersOf,
  unprintableOf,
} from './after-load.js';
import { type Dependency, dependenciesOf, inOrder, possible } from './dependencies.js';
import { type SchemaObject, objectsOf } from './parts.js';

/** The SQL with which the rows of an export find their place in any database: before them, and after them. */
export interface SchemaText {
  preData: string;
  postData: string;
}

/**
 * Writes down the tables of an export with what belongs to them, as statements that name no schema: they make everything in
 * the first schema of the reader's search path. Roles, rights and policies are not part of it.
 */
export async function writeSchema(
  snapshot: Snapshot,
  plan: ExportPlan,
  sequences: readonly ExportedSequence[],
): Promise<SchemaText> {
  const schema = await schemaNumber(snapshot);
  const made = await objectsToMake(snapshot, schema, plan, sequences);
  const { id } = snapshot.side.home.tenant;
  const early = await beforeRows(snapshot, schema, made);
  return {
    preData: sqlText([...heading(id, 'before'), ...early.comments], early.statements),
    postData: sqlText(heading(id, 'after'), [
      ...(await afterRows(snapshot, schema, made)),
      ...sequences.flatMap(valueOf),
    ]),
  };
}

async function beforeRows(
  { session }: Snapshot,
  schema: Sql,
  made: readonly SchemaObject[],
): Promise<{ comments: string[]; statements: string[] }> {
  const extensions = await session.rows<{ name: string }>(extensionsOf(schema));
  const missing = await session.rows<{ what: string }>(unprintableOf(schema));
  const ownerships = await session.rows<LateStatement>(ownershipsOf(schema));
  return {
    comments: missing.map(({ what }) => `-- Not in this file: ${what.replace(/\s+/g, ' ')}`),
    statements: [
      'set check_function_bodies = off',
      ...extensions.map(({ name }) => `create extension if not exists ${ident(name).text()}`),
      ...made.filter(({ kind }) => kind !== 'view').map(({ statement }) => statement),
      ...statementsFor(made, ownerships),
    ],
  };
}

/** Views come last: they may rely on the keys of their tables. */
async function afterRows(
  { session }: Snapshot,
  schema: Sql,
  made: readonly SchemaObject[],
): Promise<string[]> {
  const read = (query: (of: Sql) => Sql): Promise<LateStatement[]> =>
    session.rows<LateStatement>(query(schema));
  const views = made.filter(({ kind }) => kind === 'view');
  const tables = made.filter(({ kind }) => kind !== 'view');
  const indexes = await read(indexesOf);
  return [
    ...statementsFor(tables, await read(constraintsOf)),
    ...statementsFor(tables, indexes),
    ...views.map(({ statement }) => statement),
    ...statementsFor(views, indexes),
    ...statementsFor(made, [...(await read(rulesOf)), ...(await read(triggersOf))]),
  ];
}

/** Those whose relations are there. */
function statementsFor(made: readonly SchemaObject[], late: readonly LateStatement[]): string[] {
  const names = new Set(made.map(({ name }) => name));
  return late
    .filter(({ relation, other }) => names.has(relation) && (other === null || names.has(other)))
    .map(({ statement }) => statement);
}

async function schemaNumber({ session, side }: Snapshot): Promise<Sql> {
  const row = await session.row<{ oid: string }>(
    sql`select oid::text as oid from pg_namespace where nspname = ${side.home.placement.schema}`,
  );
  return raw(`${Number(row?.oid ?? 0)}::oid`);
}

/** Of a pool only what its exported tables need, and what can be made from them. */
async function objectsToMake(
  snapshot: Snapshot,
  schema: Sql,
  { tables }: ExportPlan,
  sequences: readonly ExportedSequence[],
): Promise<SchemaObject[]> {
  const { session, side } = snapshot;
  const constant = tables.flatMap(constantColumn);
  const key = side.home.tenant.key;
  const objects = await session.rows<SchemaObject>(objectsOf(schema, { constant, key }));
  const dependencies = await session.rows<Dependency>(dependenciesOf(schema));
  const exported = new Set(tables.map(({ name }) => name));
  const numbering = new Set(sequences.map(({ name }) => name));
  const others = await partitionsOfOthers(snapshot, schema, tables);
  const isKept = ({ id, kind, name }: SchemaObject): boolean =>
    kind === 'table' ? exported.has(name) : !others.has(id) && (kind !== 'sequence' || numbering.has(name));
  return inOrder(possible(objects, dependencies, isKept), dependencies);
}

/**
 * Partitions of a pool whose bounds name tenants, and in which this one has no row: they are nobody else's business. A part
 * of one that is left out is left out with it.
 */
async function partitionsOfOthers(
  { session, side }: Snapshot,
  schema: Sql,
  tables: readonly PlannedTable[],
): Promise<ReadonlySet<string>> {
  if (!side.shared) return new Set();
  const columns = tables.flatMap(constantColumn);
  const named = sql`
    select c.oid, r.relname::text as root
      from pg_class c join pg_inherits i on i.inhrelid = c.oid
      join pg_partitioned_table p on p.partrelid = i.inhparent and p.partstrat in ('l', 'r')
      join pg_class r on r.oid = pg_partition_root(c.oid)
      join pg_attribute a on a.attrelid = p.partrelid and a.attnum = any (p.partattrs::int2[])
     where c.relnamespace = ${schema} and json_build_array(r.relname, a.attname)::jsonb = any (${columns}::jsonb[])`;
  const roots = await session.rows<{ root: string }>(sql`select distinct root from (${named}) named`);
  const own: string[] = [];
  for (const { root } of roots) {
    const { rows } = tables.find(({ name }) => name === root) as PlannedTable;
    const leaves = await session.rows<{ leaf: string }>(
      sql`select distinct x.tableoid::text as leaf from ${rows}`,
    );
    own.push(...leaves.map(({ leaf }) => leaf));
  }
  const others = await session.rows<{ id: string }>(sql`
    select 'pg_class ' || oid as id from (${named}) named
     where not exists (select from pg_partition_tree(named.oid) part where part.relid = any (${own}::oid[]))`);
  return new Set(others.map(({ id }) => id));
}

/** `table.column` of the tenant column, where it is the same in every row and so not in the file. */
function constantColumn({ name, leftOutColumns }: PlannedTable): string[] {
  return leftOutColumns
    .filter(({ reason }) => reason === 'tenant key')
    .map((column) => JSON.stringify([name, column.name]));
}

function heading(tenant: string, when: 'before' | 'after'): string[] {
  return [
    `-- Tables of tenant ${tenant}: what is run ${when} the rows are loaded. Written by tenantctl ${TOOL_VERSION}.`,
    '-- It names no schema: set search_path to the one that is to hold them. manifest.json says which file is whose.',
  ];
}

function valueOf({ name, value }: ExportedSequence): string[] {
  if (value === null) return [];
  return [`select setval(${literal(ident(name).text())}, ${raw(value).text()})`];
}

function sqlText(comments: readonly string[], statements: readonly string[]): string {
  return `${comments.join('\n')}\n\n${statements.map((statement) => `${statement};\n`).join('\n')}`;
}
