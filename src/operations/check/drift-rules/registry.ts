import type { Rule } from '../../../core/rule.js';
import type { LedgerRule } from '../drift/ledgers.js';
import type { StateRule } from '../drift/states.js';
import { catalogVersion } from './catalog-version.js';
import { disabledForeignKey } from './disabled-foreign-key.js';
import { disabledRule } from './disabled-rule.js';
import { disabledTrigger } from './disabled-trigger.js';
import { indexNotReady } from './index-not-ready.js';
import { invalidIndex } from './invalid-index.js';
import { ledgerGap } from './ledger-gap.js';
import { migrationEdited } from './migration-edited.js';
import { migrationMissing } from './migration-missing.js';
import { migrationUnfinished } from './migration-unfinished.js';
import { neverAnalyzed } from './never-analyzed.js';
import { notCompared } from './not-compared.js';
import { notAppliedRule } from './recorded-not-applied.js';
import { shapeDiffers } from './shape-differs.js';
import { shapeUnlikeFiles } from './shape-unlike-files.js';
import { unenforcedConstraint } from './unenforced-constraint.js';
import { unfinishedDetach } from './unfinished-detach.js';
import { unloggedTable } from './unlogged-table.js';
import { unvalidatedConstraint } from './unvalidated-constraint.js';

/** Rules that one query over each database decides. */
export const STATE_RULES: readonly StateRule[] = [
  invalidIndex,
  indexNotReady,
  unvalidatedConstraint,
  unenforcedConstraint,
  disabledTrigger,
  disabledForeignKey,
  disabledRule,
  unloggedTable,
  unfinishedDetach,
  neverAnalyzed,
];

/** Rules about what the ledgers record. */
export const LEDGER_RULES: readonly LedgerRule[] = [
  migrationEdited,
  migrationMissing,
  ledgerGap,
  migrationUnfinished,
  catalogVersion,
];

/** Every rule of `check drift`, in the order of the reference. */
export const DRIFT_RULES: readonly Rule[] = [
  shapeDiffers,
  notAppliedRule,
  shapeUnlikeFiles,
  notCompared,
  ...LEDGER_RULES.map(({ rule }) => rule),
  ...STATE_RULES.map(({ rule }) => rule),
];
