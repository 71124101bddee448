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
  const readings = migrations.map((migration) => ({ migration, ...readingOf(migration, column, setting) }));
  const found = readings.some(({ refuses }) => refuses) ? [] : readings;
  return {
    additions: new Map(found.map(({ migration, additions }) => [migration, additions])),
    complete: new Set(found.flatMap(({ complete }) => complete)),
  };
}

/** What a migration's own text says about it. */
interface Reading {
  column: string;
  setting: string;
  /** May one of its statements refuse a tenant column that has a default? */
  refuses: boolean;
  additions: Addition[];
  complete: ParsedStatement[];
}

/** Every home that is made asks for the same few. */
const readings = new WeakMap<Migration, Reading>();

function readingOf(migration: Migration, column: string, setting: string): Reading {
  const known = readings.get(migration);
  if (known?.column === column && known.setting === setting) return known;
  const reading = read(migration, column, setting);
  readings.set(migration, reading);
  return reading;
}

function read({ statements, freshSql }: Migration, column: string, setting: string): Reading {
  const refuses = statements.some((statement) => mayRefuseDefault(statement, column));
  const toOffset = byteOffsets(freshSql);
  const tables = statements
    .filter(({ kind }) => kind === 'CreateStmt')
    .map((statement) => ({ statement, ...typedPlaces(statement.body, column, freshSql, toOffset) }));
  const additions = tables.flatMap(({ places }) =>
    places.map(({ end, type }) => ({ offset: end, text: defaultOf(setting, type) })),
  );
  const complete = tables.filter(({ statement, all }) => all && inheritsDefaults(statement.body));
  return { column, setting, refuses, additions, complete: complete.map(({ statement }) => statement) };
}

function defaultOf(setting: string, type: string): string {
  return ` default nullif(current_setting(${literal(setting)}, true), '')::${type}`;
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

/**
 * Where the tenant column of a table that a statement makes can be given its default.
 * @returns also whether there is a place for all that need one
 */
function typedPlaces(
  body: Tree,
  column: string,
  text: string,
  toOffset: (byte: number) => number,
): { places: TypedPlace[]; all: boolean } {
  const needy = nodesOf(body['tableElts'], 'ColumnDef').filter(
    ({ colname, typeName, constraints }) =>
      colname === column && typeName !== undefined && !hasValueOfItsOwn(constraints),
  );
  const { schemaname, relpersistence } = (body['relation'] ?? {}) as Tree;
  if (schemaname !== undefined || relpersistence === 't') return { places: [], all: needy.length === 0 };
  const places = needy
    // These stand between the type and a default.
    .filter(({ storage_name: storage, compression }) => storage === undefined && compression === undefined)
    .flatMap(({ typeName }) => {
      const { location, arrayBounds } = typeName as Tree;
      if (typeof location !== 'number' || arrayBounds !== undefined) return [];
      const start = toOffset(location);
      const type = WORD.exec(text.slice(start, start + LONGEST_TYPE))?.[0] ?? '';
      return ONE_WORD.has(type.toLowerCase()) ? [{ type, end: start + type.length }] : [];
    });
  return { places, all: places.length === needy.length };
}

/** A word that is the whole name of a type, without brackets behind it. */
const WORD = /^\w+(?![\w.(["])/;
/** With some signs to spare, that what follows is seen. */
const LONGEST_TYPE = 20;

/** Partitions and children have the default of the table that they are made of, and a copy has it where it asks for defaults. */
function inheritsDefaults(body: Tree): boolean {
  return (
    body['ofTypename'] === undefined && nodesOf(body['tableElts'], 'TableLikeClause').every(copiesDefaults)
  );
}

/** CREATE_TABLE_LIKE_DEFAULTS of the server's parse tree. */
const LIKE_DEFAULTS = 8;

function copiesDefaults({ options, relation }: Tree): boolean {
  const { schemaname } = (relation ?? {}) as Tree;
  return (Number(options ?? 0) & LIKE_DEFAULTS) !== 0 && schemaname === undefined;
}

const VALUES = new Set(['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED']);

function hasValueOfItsOwn(constraints: unknown): boolean {
  return nodesOf(constraints, 'Constraint').some(({ contype }) => VALUES.has(String(contype)));
}
