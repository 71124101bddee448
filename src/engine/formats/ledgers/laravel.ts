import type { MigrationFile } from '../format.js';
import { textOf } from './judging.js';
import { type MirrorChange, NEXT, type ToolLedger } from './ledger.js';
import { type ProgramNames, afterNumber, judgePrograms } from './programs.js';

const names: ProgramNames = {
  nameOf(file) {
    const name = afterNumber(file);
    return /^\d{4}_\d\d_\d\d_\d{6}_/.test(name) ? name : null;
  },
  before: (name, [first]) => first !== undefined && name < String(names.nameOf(first)),
  newer: (name, named) => named.every((file) => name > String(names.nameOf(file))),
  remedies: {
    gap: 'Apply it with `php artisan migrate`, which runs what is missing wherever it stands',
    forget: 'delete its row from migrations',
    bring: (name) => `\`php artisan migrate\` of the release whose newest migration is ${name}`,
  },
};

/**
 * Laravel: a row for each migration, by the name of its file without `.php`, and the batch that it was run in. Its migrations are
 * programs; a file of ours is the one whose name follows our number, `0007_2023_04_04_095503_create_x.sql`, and the first
 * such file stands for all names up to it as well. No checksums, and no lock in the database.
 */
export const laravelLedger: ToolLedger = {
  tool: 'laravel',
  table: 'migrations',
  schema: null,
  marks: ['id', 'migration', 'batch'],
  lacks: [],
  columns: ['migration'],
  filled: [],
  order: ['migration'],
  lockKey: () => null,
  judge: (rows, files) =>
    judgePrograms(rows.map((row) => textOf(row, 'migration') ?? '').sort(), files, names),
  mirror: { applied, takenBack },
};

/** In a batch of its own, so that `migrate:rollback` takes one after the other back. */
function applied(file: MigrationFile): MirrorChange | null {
  const migration = names.nameOf(file);
  if (migration === null) return null;
  return { remove: [], insert: [{ table: null, values: { migration, batch: NEXT } }] };
}

function takenBack(file: MigrationFile): MirrorChange | null {
  const migration = names.nameOf(file);
  return migration === null ? null : { remove: [{ table: null, values: { migration } }], insert: [] };
}
