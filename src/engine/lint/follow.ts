import { type Tree, nameOf, nodesOf, partsOf } from '../ledger/locks/tree.js';
import type { KnownKey, KnownTable, KnownTables, Origin } from './known-tables.js';
import type { Step } from './step.js';
import { columnName, typeOf } from './type-names.js';

/**
 * Takes over what a step does to the tables that are known.
 * @param madeBy the number of the migration
 */
export function follow(known: KnownTables, step: Step, madeBy: number): void {
  STATEMENTS[step.kind]?.(known, step, { madeBy, at: step.at });
}

type Follower = (known: KnownTables, step: Step, origin: Origin) => void;

const STATEMENTS: Readonly<Record<string, Follower>> = {
  CreateStmt: create,
  CreateTableAsStmt: (known, { body }) => {
    const name = nameOf((body['into'] as Tree | undefined)?.['rel']);
    if (name !== null && body['objtype'] === 'OBJECT_TABLE')
      known.put({ ...emptyTable(name), opaque: true, filled: true });
  },
  IndexStmt: (known, { body, table }, origin) => known.get(table)?.keys.push(indexOf(body, origin)),
  AlterTableStmt: (known, step, origin) => {
    const table = known.get(step.table);
    if (table !== undefined) ACTIONS[step.action]?.(table, step.command, origin, known);
  },
  RenameStmt: rename,
  DropStmt: (known, { body }) => {
    const names = ((body['objects'] ?? []) as unknown[]).map((object) => partsOf(object).join('.'));
    if (body['removeType'] === 'OBJECT_TABLE') for (const name of names) known.drop(name);
    if (body['removeType'] === 'OBJECT_INDEX') for (const name of names) known.dropIndex(name);
  },
  InsertStmt: (known, { table: name }) => {
    const table = known.get(name);
    if (table !== undefined) table.filled = true;
  },
  CreateDomainStmt: (known, { body }) => {
    const name = partsOf(body['domainname']).at(-1) ?? '';
    const constraints = nodesOf(body['constraints'], 'Constraint');
    if (constraints.some(({ contype }) => contype !== 'CONSTR_NULL' && contype !== 'CONSTR_DEFAULT'))
      known.strictDomains.add(name);
  },
  AlterDomainStmt: (known, { body }) => {
    if (['C', 'O'].includes(String(body['subtype'])))
      known.strictDomains.add(partsOf(body['typeName']).at(-1) ?? '');
  },
  CreatePolicyStmt: (known, { table: name }) => {
    const table = known.get(name);
    if (table !== undefined) table.policies = true;
  },
};

function emptyTable(name: string): KnownTable {
  return {
    name,
    columns: new Map(),
    keys: [],
    checks: [],
    foreignKeys: [],
    opaque: false,
    parent: null,
    partitioned: false,
    defaultPartition: null,
    filled: false,
    policies: false,
    secured: false,
    forced: false,
  };
}

function create(known: KnownTables, { body, table: name }: Step, origin: Origin): void {
  if (name === null || (body['if_not_exists'] === true && known.get(name) !== undefined)) return;
  const table = { ...emptyTable(name), partitioned: body['partspec'] !== undefined };
  const [parent] = nodesOf(body['inhRelations'], 'RangeVar').map(nameOf);
  for (const like of nodesOf(body['tableElts'], 'TableLikeClause'))
    copy(known.get(nameOf(like['relation'])), table);
  if (parent !== undefined) {
    table.parent = parent;
    copy(known.get(parent), table);
    const bound = body['partbound'] as { is_default?: boolean } | undefined;
    const above = known.get(parent);
    if (bound?.is_default === true && above !== undefined) above.defaultPartition = name;
  }
  for (const column of nodesOf(body['tableElts'], 'ColumnDef')) addColumn(table, column, origin);
  for (const constraint of nodesOf(body['tableElts'], 'Constraint'))
    addConstraint(table, constraint, [], origin);
  known.put(table);
}

/** Columns are taken over, and keys of a parent; what else LIKE takes depends on its words. */
function copy(from: KnownTable | undefined, to: KnownTable): void {
  if (from === undefined || from.opaque) to.opaque = true;
  for (const [name, column] of from?.columns ?? []) to.columns.set(name, { ...column });
  if (from !== undefined && to.parent !== null) to.keys.push(...from.keys);
}

function addColumn(table: KnownTable, column: Tree, origin: Origin): void {
  const name = String(column['colname']);
  const constraints = nodesOf(column['constraints'], 'Constraint');
  const kinds = new Set(constraints.map(({ contype }) => contype));
  table.columns.set(name, {
    type: typeOf(column['typeName']),
    notNull: ['CONSTR_NOTNULL', 'CONSTR_PRIMARY', 'CONSTR_IDENTITY'].some((kind) => kinds.has(kind)),
  });
  for (const constraint of constraints) addConstraint(table, constraint, [name], origin);
}

/** @param column the column that the constraint stands behind; none when it is the table's */
function addConstraint(table: KnownTable, constraint: Tree, column: readonly string[], origin: Origin): void {
  const given = constraint['conname'] as string | undefined;
  const keys = words(constraint['keys']);
  const columns = keys.length > 0 ? keys : column;
  const named = (end: string, of: readonly string[]): string => given ?? [table.name, ...of, end].join('_');
  switch (constraint['contype']) {
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE': {
      const primary = constraint['contype'] === 'CONSTR_PRIMARY';
      const index = table.keys.find(({ name }) => name === constraint['indexname']);
      const held = index?.columns ?? columns;
      const name = named(primary ? 'pkey' : 'key', primary ? [] : held);
      table.keys.push({ ...origin, name, columns: held, unique: true, primary });
      if (primary) for (const one of held) requireValue(table, one);
      return;
    }
    case 'CONSTR_CHECK':
      table.checks.push({
        name: named('check', column),
        expression: constraint['raw_expr'],
        validated: constraint['skip_validation'] !== true,
      });
      return;
    case 'CONSTR_NOTNULL':
      if (constraint['skip_validation'] !== true) for (const one of columns) requireValue(table, one);
      return;
    case 'CONSTR_FOREIGN': {
      const attributes = words(constraint['fk_attrs']);
      const held = attributes.length > 0 ? attributes : column;
      const referred = nameOf(constraint['pktable']) ?? '';
      table.foreignKeys.push({ ...origin, name: named('fkey', held), columns: held, table: referred });
      return;
    }
    default:
  }
}

function requireValue(table: KnownTable, column: string): void {
  const known = table.columns.get(column);
  if (known !== undefined) known.notNull = true;
}

type AlterFollower = (table: KnownTable, command: Tree, origin: Origin, known: KnownTables) => void;

const ACTIONS: Readonly<Record<string, AlterFollower>> = {
  AT_AddColumn: (table, { def }, origin) => addColumn(table, (def as { ColumnDef: Tree }).ColumnDef, origin),
  AT_DropColumn: (table, { name }) => {
    table.columns.delete(String(name));
    table.keys = table.keys.filter(({ columns }) => !columns.includes(String(name)));
    table.foreignKeys = table.foreignKeys.filter(({ columns }) => !columns.includes(String(name)));
  },
  AT_SetNotNull: (table, { name }) => requireValue(table, String(name)),
  AT_DropNotNull: (table, { name }) => {
    const column = table.columns.get(String(name));
    if (column !== undefined) column.notNull = false;
  },
  AT_AlterColumnType: (table, { name, def }) => {
    const column = table.columns.get(String(name));
    if (column !== undefined) column.type = typeOf((def as { ColumnDef: Tree }).ColumnDef['typeName']);
  },
  AT_AddConstraint: (table, { def }, origin) =>
    addConstraint(table, (def as { Constraint: Tree }).Constraint, [], origin),
  AT_EnableRowSecurity: (table) => {
    table.secured = true;
  },
  AT_DisableRowSecurity: (table) => {
    table.secured = false;
  },
  AT_ForceRowSecurity: (table) => {
    table.forced = true;
  },
  AT_NoForceRowSecurity: (table) => {
    table.forced = false;
  },
  AT_ValidateConstraint: (table, { name }) => {
    for (const check of table.checks) if (check.name === name) check.validated = true;
  },
  AT_DropConstraint: (table, { name }) => {
    table.checks = table.checks.filter((check) => check.name !== name);
    table.keys = table.keys.filter((key) => key.name !== name);
    table.foreignKeys = table.foreignKeys.filter((key) => key.name !== name);
  },
  AT_AttachPartition: (table, { def }, _origin, known) => {
    const partition = (def as { PartitionCmd: Tree }).PartitionCmd;
    const name = nameOf(partition['name']);
    const bound = partition['bound'] as { is_default?: boolean } | undefined;
    if (bound?.is_default === true) table.defaultPartition = name;
    const child = known.get(name);
    if (child === undefined) return;
    child.parent = table.name;
    child.keys.push(...table.keys);
  },
  AT_DetachPartition: (table, { def }, _origin, known) => {
    const name = nameOf((def as { PartitionCmd: Tree }).PartitionCmd['name']);
    if (table.defaultPartition === name) table.defaultPartition = null;
    const child = known.get(name);
    if (child !== undefined) child.parent = null;
  },
};

function rename(known: KnownTables, { body, table: name }: Step): void {
  const table = known.get(name);
  const [from, to] = [String(body['subname']), String(body['newname'])];
  if (body['renameType'] === 'OBJECT_TABLE' && name !== null) known.rename(name, to);
  if (table === undefined) return;
  if (body['renameType'] === 'OBJECT_COLUMN') renameColumn(table, from, to);
  if (body['renameType'] === 'OBJECT_TABCONSTRAINT')
    for (const one of [...table.checks, ...table.keys, ...table.foreignKeys])
      if (one.name === from) one.name = to;
}

function renameColumn(table: KnownTable, from: string, to: string): void {
  const column = table.columns.get(from);
  if (column === undefined) return;
  table.columns.delete(from);
  table.columns.set(to, column);
  const renamed = (columns: readonly string[]): string[] =>
    columns.map((name) => (name === from ? to : name));
  for (const key of [...table.keys, ...table.foreignKeys]) key.columns = renamed(key.columns);
}

function indexOf(body: Tree, origin: Origin): KnownKey {
  const columns = nodesOf(body['indexParams'], 'IndexElem').map(
    ({ name, expr }) => (name as string | undefined) ?? columnName(expr) ?? '',
  );
  return {
    ...origin,
    name: String(body['idxname'] ?? ''),
    columns,
    unique: body['unique'] === true,
    primary: false,
  };
}

const words = (list: unknown): string[] => nodesOf(list, 'String').map(({ sval }) => String(sval));
