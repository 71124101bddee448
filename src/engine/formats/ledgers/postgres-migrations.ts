import { createHash } from 'node:crypto';
import type { MigrationFile } from '../format.js';
import { type Recorded, editedProblem, judgeSet, textOf, textsOf } from './judging.js';
import type { Judgement, LedgerRow, MirrorRow, ToolLedger } from './ledger.js';

interface Row extends Recorded {
  id: number;
  hash: string;
}

/**
 * postgres-migrations: a row for each number, with sha1 over the file's name and text, whose line ends depend on the
 * checkout that it was applied from; row 0 is the ledger's own. Its `name` lacks the number.
 */
export const postgresMigrationsLedger: ToolLedger = {
  tool: 'postgres-migrations',
  table: 'migrations',
  schema: null,
  marks: ['id', 'name', 'hash', 'executed_at'],
  lacks: [],
  columns: ['id', 'name', 'hash'],
  filled: [],
  order: ['id'],
  lockKey: () => -8525285245963000605n,
  judge,
  mirror: {
    applied: (file) => ({
      remove: [],
      insert: [{ table: null, values: { id: file.id, name: titleOf(file), hash: file.checksum } }],
    }),
    takenBack: (file) => ({ remove: [rowOf(file)], insert: [] }),
  },
};

function judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement {
  const recorded = rows.map((row) => toRow(row, files)).filter(({ id }) => id !== 0);
  const { problems, ...rest } = judgeSet(recorded, files, {
    gap: 'Apply it by hand and insert its row into migrations: postgres-migrations goes by the count of rows',
    forget: 'delete its row from migrations',
  });
  const edited = recorded.flatMap(({ file, hash }) => (file && !hashesOf(file).includes(hash) ? [file] : []));
  return { ...rest, problems: [...problems, ...editedProblem(edited, REMEDY)] };
}

const REMEDY =
  'set `hash` in migrations to sha1 over name and text of the file (a renamed file is an edited one)';

function toRow(row: LedgerRow, files: readonly MigrationFile[]): Row {
  const id = Number(row['id']);
  const label = `${id} (${textOf(row, 'name')})`;
  return { id, label, file: files[id - 1], newer: id > files.length, hash: textOf(row, 'hash') ?? '' };
}

function hashesOf(file: MigrationFile): string[] {
  return textsOf(file).map((text) =>
    createHash('sha1')
      .update(file.fileName + text, 'utf8')
      .digest('hex'),
  );
}

/** What the tool calls a file: the name without number and extension, or all of it where nothing else is left. */
function titleOf({ fileName }: MigrationFile): string {
  return /^-?\d+[-_]?(.*)\.sql$/i.exec(fileName)?.[1] || fileName;
}

const rowOf = ({ id }: MigrationFile): MirrorRow => ({ table: null, values: { id } });
