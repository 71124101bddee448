import { type LockMode, stronger } from '../../../core/lock-mode.js';
import { addColumn, looksUpRows } from './add-column.js';
import { type Effect, type Row, effect } from './effect.js';
import { type Tree, nameOf, nodesOf, optionsOf } from './tree.js';

const EXCLUSIVE: LockMode = 'ACCESS EXCLUSIVE';
const UPDATE: LockMode = 'SHARE UPDATE EXCLUSIVE';
const WRITES: LockMode = 'SHARE ROW EXCLUSIVE';

/** What each action of ALTER TABLE does to the table it alters. */
const ACTIONS: Readonly<Record<string, Row | ((command: Tree) => Row)>> = {
  AT_AddColumn: addColumn,
  AT_DropColumn: [EXCLUSIVE, false, false, 'drops a column; its values stay on disk'],
  AT_ColumnDefault: [EXCLUSIVE, false, false, 'changes the default of rows to come'],
  AT_SetNotNull: [EXCLUSIVE, false, true, 'looks for NULL in every row, unless a valid CHECK rules it out'],
  AT_DropNotNull: [EXCLUSIVE, false, false, 'allows NULL'],
  AT_AlterColumnType: [
    EXCLUSIVE,
    'maybe',
    false,
    'converts every row, unless the old type reads as the new one; tables of foreign keys on the column are locked too',
  ],
  AT_SetExpression: [EXCLUSIVE, true, true, 'computes the column for every row'],
  AT_DropExpression: [EXCLUSIVE, false, false, 'keeps the values that were computed'],
  AT_AddIdentity: [EXCLUSIVE, false, false, 'numbers rows to come'],
  AT_SetIdentity: [EXCLUSIVE, false, false, 'changes how rows to come are numbered'],
  AT_DropIdentity: [EXCLUSIVE, false, false, 'stops the numbering'],
  AT_SetStorage: [EXCLUSIVE, false, false, 'changes how rows to come are stored'],
  AT_SetCompression: [EXCLUSIVE, false, false, 'changes how rows to come are compressed'],
  AT_SetStatistics: [UPDATE, false, false, 'changes what ANALYZE will collect'],
  AT_SetOptions: [UPDATE, false, false, 'changes what the planner assumes'],
  AT_ResetOptions: [UPDATE, false, false, 'changes what the planner assumes'],
  AT_AddConstraint: addConstraint,
  AT_AlterConstraint: [EXCLUSIVE, false, false, 'changes how a constraint is kept'],
  AT_ValidateConstraint: [
    UPDATE,
    false,
    true,
    'holds every row to the constraint, while others read and write',
  ],
  AT_DropConstraint: [
    EXCLUSIVE,
    false,
    false,
    'drops a constraint; locks the table that a foreign key refers to too',
  ],
  AT_EnableTrig: [WRITES, false, false, 'switches triggers'],
  AT_EnableAlwaysTrig: [WRITES, false, false, 'switches triggers'],
  AT_EnableReplicaTrig: [WRITES, false, false, 'switches triggers'],
  AT_EnableTrigUser: [WRITES, false, false, 'switches triggers'],
  AT_EnableTrigAll: [WRITES, false, false, 'switches triggers'],
  AT_DisableTrig: [WRITES, false, false, 'switches triggers'],
  AT_DisableTrigUser: [WRITES, false, false, 'switches triggers'],
  AT_DisableTrigAll: [WRITES, false, false, 'switches triggers'],
  AT_EnableRule: [EXCLUSIVE, false, false, 'switches a rule'],
  AT_DisableRule: [EXCLUSIVE, false, false, 'switches a rule'],
  AT_EnableRowSecurity: [EXCLUSIVE, false, false, 'switches row-level security'],
  AT_DisableRowSecurity: [EXCLUSIVE, false, false, 'switches row-level security'],
  AT_ForceRowSecurity: [EXCLUSIVE, false, false, 'switches row-level security for the owner'],
  AT_NoForceRowSecurity: [EXCLUSIVE, false, false, 'switches row-level security for the owner'],
  AT_ClusterOn: [UPDATE, false, false, 'notes an index for CLUSTER'],
  AT_DropCluster: [UPDATE, false, false, 'notes no index for CLUSTER'],
  AT_SetRelOptions: storageOptions,
  AT_ResetRelOptions: storageOptions,
  AT_SetLogged: [EXCLUSIVE, true, true, 'writes the table into the log'],
  AT_SetUnLogged: [EXCLUSIVE, true, true, 'takes the table out of the log'],
  AT_SetAccessMethod: [EXCLUSIVE, 'maybe', false, 'stores the table in another way'],
  AT_SetTableSpace: [EXCLUSIVE, 'maybe', false, 'copies the table to another place'],
  AT_ReplicaIdentity: [EXCLUSIVE, false, false, 'changes what is logged of old rows'],
  AT_ChangeOwner: [EXCLUSIVE, false, false, 'changes the owner'],
  AT_AddInherit: [EXCLUSIVE, false, false, 'makes it a child of another table'],
  AT_DropInherit: [EXCLUSIVE, false, false, 'makes it a table of its own'],
  AT_AttachPartition: [UPDATE, false, false, 'gets a partition'],
  AT_DetachPartition: (command) =>
    isConcurrent(command)
      ? [UPDATE, false, false, 'loses a partition, after waiting for older transactions']
      : [EXCLUSIVE, false, false, 'loses a partition'],
  AT_DetachPartitionFinalize: [UPDATE, false, false, 'loses a partition for good'],
};

const UNKNOWN: Row = [EXCLUSIVE, 'maybe', false, 'is altered in a way that this table does not know'];

/** ALTER TABLE takes the strongest lock of its actions for all of them. */
export function alterTable(body: Tree): Effect[] {
  const commands = nodesOf(body['cmds'], 'AlterTableCmd');
  const rows = commands.map((command) => rowOf(command));
  const others = commands.flatMap((command) => onOthers(command, body['objtype']));
  return [effect(nameOf(body['relation']), rows.reduce(together)), ...others];
}

/** What each action of an ALTER TABLE would do if it stood alone. */
export function alterActions(body: Tree): { command: Tree; effects: Effect[] }[] {
  return nodesOf(body['cmds'], 'AlterTableCmd').map((command) => ({
    command,
    effects: [effect(nameOf(body['relation']), rowOf(command)), ...onOthers(command, body['objtype'])],
  }));
}

function rowOf(command: Tree): Row {
  const rule = ACTIONS[String(command['subtype'])] ?? UNKNOWN;
  return typeof rule === 'function' ? rule(command) : rule;
}

function together(one: Row, other: Row): Row {
  const rewrites = one[1] === true || other[1] === true || (one[1] === false ? other[1] : one[1]);
  const why = one[3] === other[3] ? one[3] : `${one[3]}; ${other[3]}`;
  return [stronger(one[0], other[0]), rewrites, one[2] || other[2], why];
}

function addConstraint({ def }: Tree): Row {
  const constraint = (def as { Constraint: Tree }).Constraint;
  const checked = isChecked(constraint);
  switch (constraint['contype']) {
    case 'CONSTR_FOREIGN':
      return [
        WRITES,
        false,
        checked,
        checked ? 'looks up every row in the other table' : 'checks rows to come',
      ];
    case 'CONSTR_CHECK':
      return [
        EXCLUSIVE,
        false,
        checked,
        checked ? 'holds every row to the constraint' : 'checks rows to come',
      ];
    case 'CONSTR_NOTNULL':
      return [EXCLUSIVE, false, checked, checked ? 'looks for NULL in every row' : 'checks rows to come'];
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
      return constraint['indexname'] === undefined
        ? [EXCLUSIVE, false, true, 'builds an index over every row']
        : [EXCLUSIVE, false, false, 'makes an index that is there a constraint'];
    default:
      return [EXCLUSIVE, false, true, 'builds an index over every row'];
  }
}

/** Are the rows that are there held to it? The parser leaves out what is false. */
const isChecked = (constraint: Tree): boolean =>
  constraint['skip_validation'] !== true && constraint['initially_valid'] === true;

/** Options that ask for more than the lock that most of them are content with. */
const STRICT_OPTIONS = new Set([
  'user_catalog_table',
  'security_barrier',
  'security_invoker',
  'check_option',
]);

function storageOptions({ def }: Tree): Row {
  const options = optionsOf((def as { List?: Tree } | undefined)?.List?.['items']);
  const lock = options.some((name) => STRICT_OPTIONS.has(name)) ? EXCLUSIVE : UPDATE;
  return [lock, false, false, 'changes its options'];
}

function isConcurrent({ def }: Tree): boolean {
  return (def as { PartitionCmd?: { concurrent?: boolean } }).PartitionCmd?.concurrent === true;
}

/** What an action does to other tables than the one that is altered. */
function onOthers(command: Tree, altered: unknown): Effect[] {
  const { subtype, def } = command as { subtype: string; def?: Record<string, Tree> };
  const partition = def?.['PartitionCmd'];
  switch (subtype) {
    case 'AT_AddColumn': {
      const constraints = nodesOf(def?.['ColumnDef']?.['constraints'], 'Constraint');
      return references(constraints, looksUpRows(constraints));
    }
    case 'AT_AddConstraint':
      return references([def?.['Constraint'] ?? {}], isChecked(def?.['Constraint'] ?? {}));
    case 'AT_AddInherit':
      return [effect(nameOf(def?.['RangeVar']), [UPDATE, false, false, 'becomes a parent'])];
    case 'AT_AttachPartition':
      if (altered === 'OBJECT_INDEX')
        return [
          effect(nameOf(partition?.['name']), [EXCLUSIVE, false, false, 'becomes a part of another index']),
        ];
      return [
        effect(nameOf(partition?.['name']), [
          EXCLUSIVE,
          false,
          true,
          'every row is held to the bounds of the partition, unless a valid CHECK does so already',
        ]),
      ];
    case 'AT_DetachPartition': {
      const lock = isConcurrent(command) ? UPDATE : EXCLUSIVE;
      return [effect(nameOf(partition?.['name']), [lock, false, false, 'becomes a table of its own'])];
    }
    case 'AT_DetachPartitionFinalize':
      return [effect(nameOf(partition?.['name']), [EXCLUSIVE, false, false, 'becomes a table of its own'])];
    default:
      return [];
  }
}

/** A foreign key puts triggers on the table that it refers to, and looks up the rows that are there in it. */
export function references(constraints: readonly Tree[], scans: boolean): Effect[] {
  return constraints
    .filter(({ contype }) => contype === 'CONSTR_FOREIGN')
    .map(({ pktable }) => effect(nameOf(pktable), [WRITES, false, scans, 'a foreign key refers to it']));
}
