import type { ParsedStatement } from '../parser.js';
import type { StatementEffect } from './effect.js';

const CHANGES_ROWS = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'SelectStmt']);

/** How a statement that took too long under a lock can be written so that it holds none, or briefly. */
export function remedyFor(statement: ParsedStatement | undefined, own: readonly StatementEffect[]): string {
  const kind = statement?.kind ?? '';
  if (kind === 'IndexStmt')
    return 'Build the index CONCURRENTLY, in a file with `-- tenantctl: no-transaction`.';
  if (kind === 'ReindexStmt')
    return 'Write REINDEX … CONCURRENTLY, in a file with `-- tenantctl: no-transaction`.';
  if (CHANGES_ROWS.has(kind)) return 'Change the rows in a file of their own with `-- tenantctl: batched`.';
  if (own.some(({ rewrites }) => rewrites !== false))
    return 'Add a new column, fill it in batches and drop the old one later (phase=expand, phase=contract).';
  if (kind === 'AlterTableStmt' && own.some(({ scans }) => scans))
    return 'Add the constraint NOT VALID (for NOT NULL: a CHECK), and VALIDATE it in a later migration.';
  return 'Do less in one migration: its locks are held to its end.';
}
