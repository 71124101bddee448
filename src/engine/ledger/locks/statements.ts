import { LOCK_MODES, type LockMode } from '../../../core/lock-mode.js';
import { alterTable, references } from './alter-table.js';
import { type Effect, type Row, effect } from './effect.js';
import { type Tree, findAll, nameOf, namesOf, nodesOf, optionsOf, partsOf } from './tree.js';

const EXCLUSIVE: LockMode = 'ACCESS EXCLUSIVE';
const UPDATE: LockMode = 'SHARE UPDATE EXCLUSIVE';
const WRITES: LockMode = 'SHARE ROW EXCLUSIVE';

/** What each kind of statement does to tables that are there. Kinds that are not listed lock none that anybody notices. */
export const STATEMENTS: Readonly<Record<string, (body: Tree) => Effect[]>> = {
  AlterTableStmt: alterTable,
  CreateStmt: createTable,
  IndexStmt: ({ relation, concurrent }) =>
    concurrent === true
      ? on(relation, [UPDATE, false, true, 'builds an index while others write'])
      : on(relation, ['SHARE', false, true, 'builds an index over every row']),
  ReindexStmt: reindex,
  DropStmt: drop,
  TruncateStmt: ({ relations }) => onAll(relations, [EXCLUSIVE, false, false, 'is emptied']),
  RenameStmt: rename,
  AlterObjectSchemaStmt: ({ relation }) => on(relation, [EXCLUSIVE, false, false, 'goes to another schema']),
  CreateTrigStmt: ({ relation }) => on(relation, [WRITES, false, false, 'gets a trigger']),
  RuleStmt: ({ relation }) => on(relation, [EXCLUSIVE, false, false, 'gets a rule']),
  CreatePolicyStmt: ({ table }) => on(table, [EXCLUSIVE, false, false, 'gets a policy']),
  AlterPolicyStmt: ({ table }) => on(table, [EXCLUSIVE, false, false, 'has a policy changed']),
  ViewStmt: ({ view, replace }) =>
    replace === true ? on(view, [EXCLUSIVE, false, false, 'is defined anew']) : [],
  RefreshMatViewStmt: ({ relation, concurrent }) =>
    concurrent === true
      ? on(relation, ['EXCLUSIVE', false, true, 'is compared with its query while others read'])
      : on(relation, [EXCLUSIVE, true, true, 'is filled anew']),
  ClusterStmt: ({ relation }) =>
    on(relation, [EXCLUSIVE, true, true, 'is written anew in the order of an index']),
  VacuumStmt: vacuum,
  LockStmt: ({ relations, mode }) =>
    onAll(relations, [
      LOCK_MODES[Number(mode) - 1] ?? EXCLUSIVE,
      false,
      false,
      'the statement asks for this lock',
    ]),
  AlterSeqStmt: ({ sequence }) => on(sequence, [WRITES, false, false, 'no number is drawn meanwhile']),
  CreateStatsStmt: ({ relations }) => onAll(relations, [UPDATE, false, false, 'gets extended statistics']),
  CommentStmt: comment,
  AlterDomainStmt: alterDomain,
  InsertStmt: changeRows,
  UpdateStmt: changeRows,
  DeleteStmt: changeRows,
  MergeStmt: changeRows,
  SelectStmt: changeRows,
};

const on = (relation: unknown, row: Row): Effect[] => [effect(nameOf(relation), row)];
const onAll = (relations: unknown, row: Row): Effect[] => namesOf(relations).map((name) => effect(name, row));

function createTable({ tableElts, inhRelations, partbound }: Tree): Effect[] {
  const columns = nodesOf(tableElts, 'ColumnDef').flatMap(({ constraints }) =>
    nodesOf(constraints, 'Constraint'),
  );
  const row: Row =
    partbound === undefined
      ? [UPDATE, false, false, 'becomes a parent']
      : [EXCLUSIVE, false, false, 'gets a partition'];
  return [
    ...references([...columns, ...nodesOf(tableElts, 'Constraint')], false),
    ...onAll(inhRelations, row),
  ];
}

/** Rebuilding an index stops every query that is planned meanwhile: the planner opens each index of a table. */
function reindex({ relation, params, kind }: Tree): Effect[] {
  const name = nameOf(relation);
  if (optionsOf(params).includes('concurrently'))
    return [effect(name, [UPDATE, false, true, 'builds indexes anew while others write'])];
  const table: Row = ['SHARE', false, true, 'a table is read to build indexes anew'];
  const index: Row = [
    'ACCESS EXCLUSIVE',
    true,
    true,
    'an index is built anew; queries of its table wait to be planned',
  ];
  return kind === 'REINDEX_OBJECT_INDEX'
    ? [effect(name, index), effect(null, table)]
    : [effect(name, table), effect(null, index)];
}

const DROPPED: Readonly<Record<string, Row>> = {
  OBJECT_TABLE: [EXCLUSIVE, false, false, 'is dropped; tables that its foreign keys refer to are locked too'],
  OBJECT_VIEW: [EXCLUSIVE, false, false, 'is dropped'],
  OBJECT_MATVIEW: [EXCLUSIVE, false, false, 'is dropped'],
  OBJECT_SEQUENCE: [EXCLUSIVE, false, false, 'is dropped'],
  OBJECT_INDEX: [EXCLUSIVE, false, false, 'an index is dropped; its table is locked too'],
};
/** Parts of a table, named behind it. */
const DROPPED_PARTS = new Set(['OBJECT_TRIGGER', 'OBJECT_POLICY', 'OBJECT_RULE']);

function drop({ objects, removeType, concurrent }: Tree): Effect[] {
  const kind = String(removeType);
  const names = ((objects ?? []) as unknown[]).map(partsOf);
  if (DROPPED_PARTS.has(kind)) {
    return names.map((name) =>
      effect(name.slice(0, -1).join('.'), [EXCLUSIVE, false, false, 'a trigger, policy or rule is dropped']),
    );
  }
  const row = DROPPED[kind];
  if (row === undefined) return [];
  const used: Row =
    concurrent === true ? [UPDATE, false, false, 'an index is dropped while others read and write'] : row;
  return names.map((name) => effect(name.join('.'), used));
}

function rename({ relation, renameType }: Tree): Effect[] {
  if (relation === undefined) return [];
  return on(
    relation,
    renameType === 'OBJECT_INDEX'
      ? [UPDATE, false, false, 'an index gets another name']
      : [EXCLUSIVE, false, false, 'it, or a part of it, gets another name'],
  );
}

function vacuum({ options, rels, is_vacuumcmd: isVacuum }: Tree): Effect[] {
  const full = isVacuum === true && optionsOf(options).includes('full');
  const row: Row = full
    ? [EXCLUSIVE, true, true, 'is written anew']
    : [UPDATE, false, false, isVacuum === true ? 'is vacuumed while others read and write' : 'is sampled'];
  return nodesOf(rels, 'VacuumRelation').flatMap(({ relation }) => on(relation, row));
}

const COMMENTED = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_INDEX',
  'OBJECT_SEQUENCE',
]);

function comment({ objtype, object }: Tree): Effect[] {
  const kind = String(objtype);
  const row: Row = [UPDATE, false, false, 'gets a comment'];
  if (COMMENTED.has(kind)) return [effect(partsOf(object).join('.'), row)];
  return kind === 'OBJECT_COLUMN' ? [effect(partsOf(object).slice(0, -1).join('.'), row)] : [];
}

/** Which tables use a domain is not in the file. */
function alterDomain({ subtype, def }: Tree): Effect[] {
  const unchecked = (def as { Constraint?: Tree } | undefined)?.Constraint?.['skip_validation'] === true;
  if (unchecked || !['C', 'O', 'V'].includes(String(subtype))) return [];
  return [effect(null, ['SHARE', false, true, 'every row of tables that use the domain is held to it'])];
}

/** Rows are changed by the statement itself, or inside a WITH of it. */
function changeRows(body: Tree): Effect[] {
  const inner = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].flatMap((kind) =>
    findAll(body, kind),
  );
  const changed = [body, ...inner].flatMap(({ relation }) => nameOf(relation) ?? []);
  return [...new Set(changed)].map((name) =>
    effect(name, ['ROW EXCLUSIVE', false, false, 'rows are changed']),
  );
}
