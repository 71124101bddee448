import type { MigrationFile } from '../format.js';
import { byTime } from '../node-pg-migrate.js';
import { judgeSet, textOf } from './judging.js';
import { type Judgement, type LedgerRow, NOW, type ToolLedger } from './ledger.js';

/**
 * node-pg-migrate: a row for each file, by its name without the extension. It has no checksums, so that an edited file is
 * not noticed. `--no-lock` and `--lock-value` keep a runner from being noticed.
 */
export const nodePgMigrateLedger: ToolLedger = {
  tool: 'node-pg-migrate',
  table: 'pgmigrations',
  schema: null,
  marks: ['id', 'name', 'run_on'],
  lacks: [],
  columns: ['name'],
  filled: [],
  order: ['run_on', 'id'],
  lockKey: () => 7241865325823964n,
  judge,
  mirror: {
    applied: ({ name }) => ({ remove: [], insert: [{ table: null, values: { name, run_on: NOW } }] }),
    takenBack: ({ name }) => ({ remove: [{ table: null, values: { name } }], insert: [] }),
  },
};

function judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement {
  const byName = new Map(files.map((file) => [file.name, file]));
  const newest = files.at(-1)?.name ?? '';
  const recorded = rows.map((row) => {
    const label = textOf(row, 'name') ?? '';
    return { label, file: byName.get(label), newer: byTime(label, newest) > 0 };
  });
  return judgeSet(recorded, files, {
    gap: 'Apply it with `node-pg-migrate up --no-check-order`, or give it a newer name',
    forget: 'delete its row from pgmigrations',
  });
}
