import { WELL_KNOWN } from './locks/add-column.js';
import { type Tree, findAll, nodesOf, partsOf } from './locks/tree.js';
import type { Migration } from './migration.js';
import type { ParsedStatement } from './parser.js';

/**
 * May a table have the tenant column without its default once these migrations have run? True rather than false where their
 * text does not say: a DO block, and a function that is not the server's own. What a trigger makes is not seen.
 * @param complete statements whose tables have the default already
 */
export function mayLackDefault(
  migrations: readonly Migration[],
  column: string,
  complete: ReadonlySet<ParsedStatement>,
): boolean {
  return migrations
    .flatMap(({ statements }) => statements)
    .filter((statement) => !complete.has(statement))
    .some((statement) => tablesToDefault(statement, column).length > 0 || hasUnseenTables(statement, column));
}

/** The tables that a statement names which are new, or were given the tenant column. */
export function tablesToDefault({ tables }: ParsedStatement, column: string): string[] {
  return tables.filter(({ added }) => added === null || added.includes(column)).map(({ name }) => name);
}

/** May a statement make tables that it does not name, or take the default from one? */
function hasUnseenTables({ kind, body }: ParsedStatement, column: string): boolean {
  switch (kind) {
    case 'DoStmt':
    case 'CallStmt':
      return true;
    case 'RenameStmt':
      return body['renameType'] === 'OBJECT_COLUMN' && body['newname'] === column;
    case 'AlterObjectSchemaStmt':
      return body['objectType'] === 'OBJECT_TABLE';
    case 'AlterTableStmt':
      return nodesOf(body['cmds'], 'AlterTableCmd').some((command) => takesDefault(command, column));
    case 'SelectStmt':
      return makesTable(body) || callsUnknown(body);
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
    case 'CopyStmt':
      return callsUnknown(body);
    default:
      return false;
  }
}

const WITHOUT_DEFAULT = new Set(['AT_ColumnDefault', 'AT_DropIdentity', 'AT_DropExpression']);

function takesDefault({ subtype, name, def }: Tree, column: string): boolean {
  return name === column && def === undefined && WITHOUT_DEFAULT.has(String(subtype));
}

/** SELECT INTO, which may stand in the first part of a UNION only. */
function makesTable({ intoClause, larg }: Tree): boolean {
  return intoClause !== undefined || (larg !== undefined && makesTable(larg as Tree));
}

/** Ordinary in backfills, so that most of those are not followed by a look at the catalog. */
const ORDINARY = new Set(
  `count sum min max avg row_number rank generate_series unnest string_agg array_agg jsonb_agg json_agg jsonb_object_agg
  jsonb_set length char_length left right substr replace split_part regexp_replace initcap to_number to_date
  array_append array_remove array_length encode decode digest set_config currval pg_get_serial_sequence`.split(
    /\s+/,
  ),
);

/** Statements are asked for every home that is made; what they call does not change. */
const unknownCalls = new WeakMap<Tree, boolean>();

function callsUnknown(body: Tree): boolean {
  const known = unknownCalls.get(body) ?? findUnknownCall(body);
  unknownCalls.set(body, known);
  return known;
}

function findUnknownCall(body: Tree): boolean {
  return findAll(body, 'FuncCall').some(({ funcname }) => {
    const parts = partsOf(funcname);
    const name = parts.at(-1) ?? '';
    return parts[0] !== 'pg_catalog' && !WELL_KNOWN.has(name) && !ORDINARY.has(name);
  });
}
