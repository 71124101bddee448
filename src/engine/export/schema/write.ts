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
  const { session, side } = snapshot;
  const schema = await schemaNumber(snapshot);
  const read = <Row>(query: (of: Sql) => Sql): Promise<Row[]> => session.rows<Row>(query(schema));
  const made = await objectsToMake(snapshot, schema, plan, sequences);
  const names = new Set(made.map(({ name }) => name));
  const late = async (query: (of: Sql) => Sql): Promise<LateStatement[]> =>
    (await read<LateStatement>(query)).filter(
      ({ relation, other }) => names.has(relation) && (other === null || names.has(other)),
    );
  const views = made.filter(({ kind }) => kind === 'view');
  const isOfView = ({ relation }: LateStatement): boolean => views.some(({ name }) => name === relation);
  const indexes = await late(indexesOf);
  const { id } = side.home.tenant;
  return {
    preData: sqlText(
      [...heading(id, 'before'), ...(await read<{ what: string }>(unprintableOf)).map(notHere)],
      [
        'set check_function_bodies = off',
        ...(await read<{ name: string }>(extensionsOf)).map(
          ({ name }) => `create extension if not exists ${ident(name).text()}`,
        ),
        ...made.filter((object) => !views.includes(object)).map(({ statement }) => statement),
        ...(await late(ownershipsOf)).map(({ statement }) => statement),
      ],
    ),
    postData: sqlText(heading(id, 'after'), [
      ...(await late(constraintsOf)).map(({ statement }) => statement),
      ...indexes.filter((index) => !isOfView(index)).map(({ statement }) => statement),
      ...views.map(({ statement }) => statement),
      ...indexes.filter(isOfView).map(({ statement }) => statement),
      ...[...(await late(rulesOf)), ...(await late(triggersOf))].map(({ statement }) => statement),
      ...sequences.flatMap(valueOf),
    ]),
  };
}

async function schemaNumber({ session, side }: Snapshot): Promise<Sql> {
  const row = await session.row<{ oid: string }>(
    sql`select oid::text as oid from pg_namespace where nspname = ${side.home.placement.schema}`,
  );
  return raw(`${Number(row?.oid ?? 0)}::oid`);
}

/** Of a pool only what its exported tables need, and what can be made from them. */
async function objectsToMake(
  { session, side }: Snapshot,
  schema: Sql,
  { tables }: ExportPlan,
  sequences: readonly ExportedSequence[],
): Promise<SchemaObject[]> {
  const constant = tables.flatMap(constantColumn);
  const key = side.home.tenant.key;
  const objects = await session.rows<SchemaObject>(objectsOf(schema, { constant, key }));
  const dependencies = await session.rows<Dependency>(dependenciesOf(schema));
  const exported = new Set(tables.map(({ name }) => name));
  const numbering = new Set(sequences.map(({ name }) => name));
  const isKept = ({ kind, name }: SchemaObject): boolean =>
    kind === 'table' ? exported.has(name) : kind !== 'sequence' || numbering.has(name);
  return inOrder(possible(objects, dependencies, isKept), dependencies);
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

function notHere({ what }: { what: string }): string {
  return `-- Not in this file: ${what.replace(/\s+/g, ' ')}`;
}

function valueOf({ name, value }: ExportedSequence): string[] {
  if (value === null) return [];
  return [`select setval(${literal(ident(name).text())}, ${raw(value).text()})`];
}

function sqlText(comments: readonly string[], statements: readonly string[]): string {
  return `${comments.join('\n')}\n\n${statements.map((statement) => `${statement};\n`).join('\n')}`;
}
