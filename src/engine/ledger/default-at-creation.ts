import type { UnitTenancy } from '../../core/settings.js';
import { literal } from '../../pg/sql.js';
import { type Tree, nodesOf } from './locks/tree.js';
import type { Addition } from './message.js';
import type { Migration } from './migration.js';
import type { ParsedStatement } from './parser.js';
import { byteOffsets } from './tokens.js';

/** How the tables of a new home get the tenant column's default from the very statements that make them. */
export interface DefaultsAtCreation {
  /** The words to add to the migrations' texts. */
  additions: ReadonlyMap<Migration, readonly Addition[]>;
  /** Statements after which no table that they name is without the default. */
  complete: ReadonlySet<ParsedStatement>;
}

/**
 * Writes the default into CREATE TABLE, where one ALTER TABLE for each table afterwards costs a home a twentieth of its time.
 * What cannot be written that way is left to `completion`; so is everything where a later statement might refuse a column
 * that has a default already.
 */
export function defaultsAtCreation(
  migrations: readonly Migration[],
  { column, setting }: Pick<UnitTenancy, 'column' | 'setting'>,
): DefaultsAtCreation {
  const additions = new Map<Migration, Addition[]>();
  const complete = new Set<ParsedStatement>();
  const statements = migrations.flatMap((migration) => migration.statements);
  if (statements.some((statement) => mayRefuseDefault(statement, column))) return { additions, complete };
  for (const migration of migrations) {
    const tables = migration.statements.filter(({ kind }) => kind === 'CreateStmt');
    const places = tables.flatMap(({ body }) => typedPlaces(body, column, migration));
    additions.set(
      migration,
      places.map(({ end, type }) => ({
        offset: end,
        text: ` default nullif(current_setting(${literal(setting)}, true), '')::${type}`,
      })),
    );
    for (const table of tables) if (isComplete(table.body, column, migration)) complete.add(table);
  }
  return { additions, complete };
}

const TAKEN_ILL = new Set(['AT_AlterColumnType', 'AT_AddIdentity', 'AT_SetExpression']);

/** Might it fail on a tenant column that has a default? What a block of code does is not seen. */
function mayRefuseDefault({ kind, body }: ParsedStatement, column: string): boolean {
  if (kind === 'DoStmt' || kind === 'CallStmt') return true;
  if (kind === 'RenameStmt') return body['renameType'] === 'OBJECT_COLUMN' && body['subname'] === column;
  return nodesOf(body['cmds'], 'AlterTableCmd').some(
    ({ name, subtype }) => name === column && TAKEN_ILL.has(String(subtype)),
  );
}

/** Types of tenant columns that are one word, which is where it ends. */
const ONE_WORD = new Set(['uuid', 'text', 'bigint', 'int8', 'integer', 'int', 'int4']);

interface TypedPlace {
  type: string;
  /** Where the type's name ends in the migration's text, in UTF-16 units. */
  end: number;
}

/** Where the tenant column of a table that a statement makes can be given its default. */
function typedPlaces(body: Tree, column: string, { freshSql }: Migration): TypedPlace[] {
  const relation = (body['relation'] ?? {}) as Tree;
  if (relation['schemaname'] !== undefined || relation['relpersistence'] === 't') return [];
  return tenantColumns(body, column)
    .filter((definition) => !hasValueOfItsOwn(definition) && definition['storage_name'] === undefined)
    .flatMap(({ typeName }) => {
      const { location, arrayBounds } = (typeName ?? {}) as Tree;
      if (typeof location !== 'number' || arrayBounds !== undefined) return [];
      const start = byteOffsets(freshSql)(location);
      const type = /^\w+(?![\w.(["])/.exec(freshSql.slice(start))?.[0] ?? '';
      return ONE_WORD.has(type.toLowerCase()) ? [{ type, end: start + type.length }] : [];
    });
}

/** Partitions and children have the default of the table that they are made of, and a copy has it where it asks for defaults. */
function isComplete(body: Tree, column: string, migration: Migration): boolean {
  const own = tenantColumns(body, column).filter(
    (definition) => definition['typeName'] !== undefined && !hasValueOfItsOwn(definition),
  );
  return (
    body['ofTypename'] === undefined &&
    nodesOf(body['tableElts'], 'TableLikeClause').every(copiesDefaults) &&
    own.length === typedPlaces(body, column, migration).length
  );
}

/** CREATE_TABLE_LIKE_DEFAULTS of the server's parse tree. */
const LIKE_DEFAULTS = 8;

function copiesDefaults({ options, relation }: Tree): boolean {
  const { schemaname } = (relation ?? {}) as Tree;
  return (Number(options ?? 0) & LIKE_DEFAULTS) !== 0 && schemaname === undefined;
}

function tenantColumns(body: Tree, column: string): Tree[] {
  return nodesOf(body['tableElts'], 'ColumnDef').filter(({ colname }) => colname === column);
}

const VALUES = new Set(['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED']);

function hasValueOfItsOwn({ constraints }: Tree): boolean {
  return nodesOf(constraints, 'Constraint').some(({ contype }) => VALUES.has(String(contype)));
}
