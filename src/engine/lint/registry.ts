import type { AllowanceRule } from './allowance-rule.js';
import type { LintRule } from './rule.js';
import { allowanceUnknownRule } from './rules/allowance-unknown-rule.js';
import { allowanceUnused } from './rules/allowance-unused.js';
import { allowanceWithoutReason } from './rules/allowance-without-reason.js';
import { attachPartitionScan } from './rules/attach-partition-scan.js';
import { checkWithoutNotValid } from './rules/check-without-not-valid.js';
import { clusterObject } from './rules/cluster-object.js';
import { columnTypeChange } from './rules/column-type-change.js';
import { concurrentIndexUnnamed } from './rules/concurrent-index-unnamed.js';
import { concurrentlyIfNotExists } from './rules/concurrently-if-not-exists.js';
import { concurrentlyInTransaction } from './rules/concurrently-in-transaction.js';
import { concurrentlyNotAlone } from './rules/concurrently-not-alone.js';
import { concurrentlyOnPartitioned } from './rules/concurrently-on-partitioned.js';
import { dataChangeUnbatched } from './rules/data-change-unbatched.js';
import { detachPartitionWithoutConcurrently } from './rules/detach-partition-without-concurrently.js';
import { domainConstraintScan } from './rules/domain-constraint-scan.js';
import { dropColumn } from './rules/drop-column.js';
import { dropTable } from './rules/drop-table.js';
import { enumValueUsedAtOnce } from './rules/enum-value-used-at-once.js';
import { extensionDrop } from './rules/extension-drop.js';
import { extensionLeftOut } from './rules/extension-left-out.js';
import { filesNotInOrder } from './rules/files-not-in-order.js';
import { foreignKeyCheckedAtOnce } from './rules/foreign-key-checked-at-once.js';
import { foreignSchema } from './rules/foreign-schema.js';
import { indexDropWithoutConcurrently } from './rules/index-drop-without-concurrently.js';
import { indexWithoutConcurrently } from './rules/index-without-concurrently.js';
import { keyBuiltUnderLock } from './rules/key-built-under-lock.js';
import { lockTable } from './rules/lock-table.js';
import { locksHeldOverWork } from './rules/locks-held-over-work.js';
import { missingDownFile } from './rules/missing-down-file.js';
import { notBatchable } from './rules/not-batchable.js';
import { notNullWithoutDefault } from './rules/not-null-without-default.js';
import { ownSession } from './rules/own-session.js';
import { ownTransaction } from './rules/own-transaction.js';
import { poolForeignKeyWithoutTenantColumn } from './rules/pool-foreign-key-without-tenant-column.js';
import { poolKeyWithoutTenantColumn } from './rules/pool-key-without-tenant-column.js';
import { poolTableWithoutPolicy } from './rules/pool-table-without-policy.js';
import { poolTableWithoutTenantColumn } from './rules/pool-table-without-tenant-column.js';
import { poolTableWithoutTenantIndex } from './rules/pool-table-without-tenant-index.js';
import { psqlCommand } from './rules/psql-command.js';
import { refreshWithoutConcurrently } from './rules/refresh-without-concurrently.js';
import { reindexWithoutConcurrently } from './rules/reindex-without-concurrently.js';
import { renameColumn } from './rules/rename-column.js';
import { renameTable } from './rules/rename-table.js';
import { schemaInString } from './rules/schema-in-string.js';
import { setNotNullScan } from './rules/set-not-null-scan.js';
import { severalTablesLocked } from './rules/several-tables-locked.js';
import { syntaxError } from './rules/syntax-error.js';
import { tableRewrite } from './rules/table-rewrite.js';
import { truncateTable } from './rules/truncate-table.js';
import { unknownDirective } from './rules/unknown-directive.js';
import { validateInSameTransaction } from './rules/validate-in-same-transaction.js';
import { volatileDefault } from './rules/volatile-default.js';

/** The rules that look at files, in the order of the reference. */
export const LOOKING_RULES: readonly LintRule[] = [
  // What cannot run at all, or would run elsewhere.
  syntaxError,
  psqlCommand,
  filesNotInOrder,
  unknownDirective,
  ownTransaction,
  ownSession,
  foreignSchema,
  schemaInString,
  clusterObject,
  extensionDrop,
  extensionLeftOut,
  // Indexes.
  indexWithoutConcurrently,
  indexDropWithoutConcurrently,
  reindexWithoutConcurrently,
  concurrentlyInTransaction,
  concurrentlyOnPartitioned,
  concurrentlyNotAlone,
  concurrentlyIfNotExists,
  concurrentIndexUnnamed,
  // Locks, and what is done under them.
  tableRewrite,
  volatileDefault,
  columnTypeChange,
  setNotNullScan,
  notNullWithoutDefault,
  foreignKeyCheckedAtOnce,
  checkWithoutNotValid,
  keyBuiltUnderLock,
  validateInSameTransaction,
  domainConstraintScan,
  attachPartitionScan,
  detachPartitionWithoutConcurrently,
  refreshWithoutConcurrently,
  lockTable,
  locksHeldOverWork,
  severalTablesLocked,
  enumValueUsedAtOnce,
  // What running releases and rows are owed.
  dropColumn,
  dropTable,
  truncateTable,
  renameColumn,
  renameTable,
  dataChangeUnbatched,
  notBatchable,
  missingDownFile,
  // Tables that tenants share.
  poolTableWithoutTenantColumn,
  poolTableWithoutTenantIndex,
  poolKeyWithoutTenantColumn,
  poolForeignKeyWithoutTenantColumn,
  poolTableWithoutPolicy,
];

/** The rules about allowances. */
export const ALLOWANCE_RULES: readonly AllowanceRule[] = [
  allowanceWithoutReason,
  allowanceUnknownRule,
  allowanceUnused,
];

/** Every rule of `check migrations`. */
export const RULES: readonly (LintRule | AllowanceRule)[] = [...LOOKING_RULES, ...ALLOWANCE_RULES];
