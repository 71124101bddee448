import { crc32 } from 'node:zlib';
import type { MigrationFile } from '../format.js';
import { textOf } from './judging.js';
import type { MirrorChange, ToolLedger } from './ledger.js';
import { type ProgramNames, afterNumber, judgePrograms } from './programs.js';

const LOCK_SALT = 2053462845n;

const names: ProgramNames = {
  nameOf: (file) => /^\d{14}(?=_|$)/.exec(afterNumber(file))?.[0] ?? null,
  before: (version, [first]) => first !== undefined && compare(version, names.nameOf(first)) < 0,
  newer: (version, named) => named.every((file) => compare(version, names.nameOf(file)) > 0),
  remedies: {
    gap: 'Apply it with `rails db:migrate`, which runs what is missing wherever it stands',
    forget: 'delete its row from schema_migrations',
    bring: (version) => `\`rails db:migrate VERSION=${version}\``,
  },
};

/**
 * Rails: a row for each migration, by its version. Its migrations are programs; a file of ours is the one whose version follows our
 * number, `0007_20230404095503_add_note.sql`, and the first such file stands for all versions up to it as well. No checksums.
 * The lock is one for a whole database.
 */
export const railsLedger: ToolLedger = {
  tool: 'rails',
  table: 'schema_migrations',
  schema: null,
  marks: ['version'],
  lacks: ['dirty'],
  columns: ['version'],
  filled: [],
  order: ['version'],
  lockKey: (_, database) => LOCK_SALT * BigInt(crc32(database)),
  judge: (rows, files) =>
    judgePrograms(rows.map((row) => textOf(row, 'version') ?? '').sort(compare), files, names),
  mirror: {
    applied: (file) => changeOf(file, 'insert'),
    takenBack: (file) => changeOf(file, 'remove'),
  },
};

/** As numbers: the oldest versions have few digits. */
function compare(a: string, b: string | null): number {
  const [these, those] = [numberOf(a), numberOf(b ?? '')];
  return these === those ? 0 : these < those ? -1 : 1;
}

const numberOf = (version: string): bigint => (/^\d+$/.test(version) ? BigInt(version) : 0n);

function changeOf(file: MigrationFile, way: 'insert' | 'remove'): MirrorChange | null {
  const version = names.nameOf(file);
  return version === null ? null : { remove: [], insert: [], [way]: [{ table: null, values: { version } }] };
}
