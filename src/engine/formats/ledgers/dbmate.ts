import type { MigrationFile } from '../format.js';
import { judgeSet, textOf } from './judging.js';
import type { Judgement, LedgerRow, MirrorRow, ToolLedger } from './ledger.js';

/**
 * dbmate: a row for each version, the digits that a file's name begins with. It has no checksums and takes no lock, so that
 * an edited file and a runner at work are not noticed.
 */
export const dbmateLedger: ToolLedger = {
  tool: 'dbmate',
  table: 'schema_migrations',
  schema: null,
  marks: ['version'],
  lacks: ['dirty'],
  columns: ['version'],
  filled: [],
  order: ['version'],
  lockKey: () => null,
  judge,
  mirror: {
    applied: (file) => ({ remove: [], insert: [rowOf(file)] }),
    takenBack: (file) => ({ remove: [rowOf(file)], insert: [] }),
  },
};

function judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement {
  const byVersion = new Map(files.map((file) => [versionOf(file), file]));
  const newest = [...byVersion.keys()].sort().at(-1) ?? '';
  const recorded = rows.map((row) => {
    const label = textOf(row, 'version') ?? '';
    return { label, file: byVersion.get(label), newer: label > newest };
  });
  return judgeSet(recorded, files, {
    gap: 'Apply it with `dbmate up`, which runs what is missing wherever it stands',
    forget: 'delete its row from schema_migrations',
  });
}

const versionOf = ({ name }: MigrationFile): string => /^\d*/.exec(name)?.[0] ?? '';
const rowOf = (file: MigrationFile): MirrorRow => ({ table: null, values: { version: versionOf(file) } });
