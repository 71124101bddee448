import type { Rule } from '../../../core/rule.js';
import { contextBreaksReading } from './context-breaks-reading.js';
import { definerFunctionShowsRows } from './definer-function-shows-rows.js';
import { foreignRowsRead } from './foreign-rows-read.js';
import { foreignRowsWritten } from './foreign-rows-written.js';
import { keyTellsForeignRows } from './key-tells-foreign-rows.js';
import { materializedViewShowsRows } from './materialized-view-shows-rows.js';
import { partitionReached } from './partition-reached.js';
import { referenceToForeignRow } from './reference-to-foreign-row.js';
import { tenantSchemaReached } from './tenant-schema-reached.js';
import { viewReachesForeignRows } from './view-reaches-foreign-rows.js';

/** What is tried on the living fleet, gravest first; the rules beside it read the catalogs. */
export const PROBES: readonly Rule[] = [
  foreignRowsRead,
  foreignRowsWritten,
  partitionReached,
  viewReachesForeignRows,
  materializedViewShowsRows,
  definerFunctionShowsRows,
  tenantSchemaReached,
  referenceToForeignRow,
  keyTellsForeignRows,
  contextBreaksReading,
];
