import { randomUUID } from 'node:crypto';
import { groupBy } from '../../../core/group-by.js';
import type { MigrationFile } from '../format.js';
import { sha256 } from '../sections.js';
import { type Recorded, editedProblem, judgeSet, problem, textOf, textsOf } from './judging.js';
import { type Judgement, type LedgerProblem, type LedgerRow, NOW, type ToolLedger } from './ledger.js';

interface Entry extends Recorded {
  checksum: string;
}

/**
 * Prisma: a row for each try of a folder's migration. It is applied when it has finished; a try that neither finished nor was
 * rolled back may have left anything behind. The checksum is sha256 of the script, of either line ends, and in old rows
 * each of its bytes stands without a leading zero.
 */
export const prismaLedger: ToolLedger = {
  tool: 'prisma',
  table: '_prisma_migrations',
  schema: null,
  marks: ['migration_name', 'checksum', 'finished_at', 'rolled_back_at'],
  lacks: [],
  columns: ['migration_name', 'checksum'],
  filled: ['finished_at', 'rolled_back_at'],
  order: ['migration_name', 'started_at'],
  lockKey: () => 72707369n,
  judge,
  mirror: {
    applied: (file) => ({
      remove: [],
      insert: [
        {
          table: null,
          values: {
            id: randomUUID(),
            checksum: file.checksum,
            migration_name: file.name,
            started_at: NOW,
            finished_at: NOW,
            applied_steps_count: 1,
          },
        },
      ],
    }),
    takenBack: ({ name }) => ({
      remove: [{ table: null, values: { migration_name: name, rolled_back_at: null } }],
      insert: [],
    }),
  },
};

function judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement {
  const standing = rows.filter((row) => row['rolled_back_at'] !== true);
  const finished = standing.filter((row) => row['finished_at'] === true).map((row) => entryOf(row, files));
  const { problems, ...rest } = judgeSet(finished, files, {
    gap: 'Apply it with `prisma migrate deploy`, which runs what is missing wherever it stands',
    forget: 'delete its row from _prisma_migrations',
  });
  return { ...rest, problems: [...unfinished(standing), ...problems, ...edited(finished)] };
}

function entryOf(row: LedgerRow, files: readonly MigrationFile[]): Entry {
  const label = textOf(row, 'migration_name') ?? '';
  return {
    label,
    file: files.find(({ name }) => name === label),
    newer: label > (files.at(-1)?.name ?? ''),
    checksum: textOf(row, 'checksum') ?? '',
  };
}

function unfinished(standing: readonly LedgerRow[]): LedgerProblem[] {
  const failed = standing.filter((row) => row['finished_at'] !== true);
  const names = [...groupBy(failed, (row) => textOf(row, 'migration_name') ?? '').keys()];
  return problem('dirty', names, {
    message: (listed) => `${listed} began and never finished: it may be half applied`,
    hint: `Undo what it left behind and say \`prisma migrate resolve --rolled-back ${names[0]}\`, or complete it and say --applied; then adopt again.`,
  });
}

function edited(finished: readonly Entry[]): LedgerProblem[] {
  const files = finished.flatMap(({ file, checksum }) =>
    file === undefined || matches(file, checksum) ? [] : [file],
  );
  return editedProblem(files, 'set `checksum` in _prisma_migrations to sha256 of the script');
}

function matches(file: MigrationFile, recorded: string): boolean {
  const hashes = textsOf(file).map(sha256);
  return hashes.some((hash) => hash === recorded || withoutPadding(hash) === recorded);
}

const withoutPadding = (hex: string): string => hex.replace(/0([0-9a-f])|([1-9a-f].)/g, '$1$2');
