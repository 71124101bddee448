import { crc32 } from 'node:zlib';
import type { ToolLedgerPlace } from '../../../core/adoption.js';
import { compareVersions } from '../flyway-version.js';
import type { MigrationFile } from '../format.js';
import { type Recorded, editedProblem, judgeSet, problem, textOf } from './judging.js';
import {
  type Judgement,
  type LedgerProblem,
  type LedgerRow,
  type MirrorChange,
  NEXT,
  type ToolLedger,
} from './ledger.js';

interface Entry extends Recorded {
  version: string;
  checksum: string | null;
}

const LOCK_BASE = 77431708279161n;
/** Rows that begin a history at a version: by `flyway baseline`, and by a baseline script. */
const BASELINES = new Set(['BASELINE', 'SQL_BASELINE']);

/**
 * Flyway: a row for each try; the last one of a version counts, and one of undoing, or of a deleted file, takes it back. A
 * baseline stands for every file up to its version. The checksum is a signed CRC-32 of the lines without their ends, and
 * none where the row has none. Repeatable migrations have no version: they stay Flyway's own, only a failed one counts.
 */
export const flywayLedger: ToolLedger = {
  tool: 'flyway',
  table: 'flyway_schema_history',
  schema: null,
  marks: ['installed_rank', 'version', 'type', 'script', 'checksum', 'success'],
  lacks: [],
  columns: ['version', 'description', 'type', 'script', 'checksum', 'success'],
  filled: [],
  order: ['installed_rank'],
  lockKey,
  judge,
  mirror: { applied: rowOf, takenBack },
};

/** A base of the tool's own plus Java's hash of the table's quoted name. */
function lockKey({ schema, table }: ToolLedgerPlace): bigint {
  const quoted = [schema, table].map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
  let hash = 0;
  for (let n = 0; n < quoted.length; n += 1) hash = (Math.imul(hash, 31) + quoted.charCodeAt(n)) | 0;
  return LOCK_BASE + BigInt(hash);
}

function judge(rows: readonly LedgerRow[], files: readonly MigrationFile[]): Judgement {
  const failed = rows.filter((row) => row['success'] === false);
  const standing = standingRows(rows);
  const baseline = standing.filter(isBaseline).map(versionIn).sort(compareVersions).at(-1) ?? null;
  const covered = files.filter(
    (file) => baseline !== null && compareVersions(versionOf(file), baseline) <= 0,
  );
  const entries = [
    ...standing.filter((row) => !isBaseline(row)).map((row) => entryOf(row, files)),
    ...covered.map((file) => ({
      label: file.name,
      file,
      newer: false,
      version: versionOf(file),
      checksum: null,
    })),
  ];
  const { problems, ...rest } = judgeSet(withoutCovered(entries, files, baseline), files, REMEDIES);
  const named = new Set(
    entries.filter(({ file }) => file && !covered.includes(file)).map(({ file }) => file?.id),
  );
  return {
    ...rest,
    inferred: covered.map(({ id }) => id).filter((id) => !named.has(id)),
    problems: [...dirtyProblem(failed), ...problems, ...edited(entries)],
  };
}

const REMEDIES = {
  gap: 'Apply it with `flyway migrate -outOfOrder=true`, or give it a newer version',
  forget: 'say `flyway repair`, which marks it as deleted',
};

/** The last row of each version, where that is neither failed nor taken back. */
function standingRows(rows: readonly LedgerRow[]): LedgerRow[] {
  const last = new Map<string, LedgerRow>();
  for (const row of rows) if (textOf(row, 'version') !== null) last.set(normal(versionIn(row)), row);
  return [...last.values()].filter(
    (row) => row['success'] !== false && !/^(UNDO|DELETE)/.test(textOf(row, 'type') ?? ''),
  );
}

/** `1.0` is version 1, and so is `001`. */
const normal = (version: string): string =>
  version
    .split('.')
    .map((part) => String(BigInt(part)))
    .join('.')
    .replace(/(\.0)+$/, '');

const isBaseline = (row: LedgerRow): boolean => BASELINES.has(textOf(row, 'type') ?? '');
const versionIn = (row: LedgerRow): string => textOf(row, 'version') ?? '0';
const versionOf = ({ particulars }: MigrationFile): string => String(particulars?.['version'] ?? 0);

function entryOf(row: LedgerRow, files: readonly MigrationFile[]): Entry {
  const version = versionIn(row);
  return {
    label: textOf(row, 'script') ?? version,
    file: files.find((file) => compareVersions(versionOf(file), version) === 0),
    newer: files.every((file) => compareVersions(versionOf(file), version) < 0),
    version,
    checksum: textOf(row, 'checksum'),
  };
}

/** What is recorded and has no file any more is no stranger where a baseline, recorded or as the first file, stands for it. */
function withoutCovered(
  entries: readonly Entry[],
  files: readonly MigrationFile[],
  baseline: string | null,
): Entry[] {
  const first = files[0];
  const script = first?.particulars?.['prefix'] === 'B' && entries.some(({ file }) => file === first);
  const upTo = script && first !== undefined ? versionOf(first) : baseline;
  return entries.filter(
    ({ file, version }) => file !== undefined || upTo === null || compareVersions(version, upTo) > 0,
  );
}

function dirtyProblem(failed: readonly LedgerRow[]): LedgerProblem[] {
  const names = failed.map((row) => textOf(row, 'script') ?? versionIn(row));
  return problem('dirty', names, {
    message: (listed) => `${listed} failed: it may be half applied`,
    hint: 'Undo what it left behind and say `flyway repair`, which removes the failed row; then adopt again.',
  });
}

/** A baseline script replaces the files that rows are of, so that its own text is none that was applied. */
function edited(entries: readonly Entry[]): LedgerProblem[] {
  const files = entries.flatMap(({ file, checksum }) =>
    file === undefined ||
    checksum === null ||
    file.particulars?.['prefix'] === 'B' ||
    checksum === String(checksumOf(file))
      ? []
      : [file],
  );
  return editedProblem(files, 'say `flyway repair`, which writes the checksums of the files');
}

/** Over the lines without their ends, whatever these are, and without a mark in front. */
export function checksumOf({ source }: MigrationFile): number {
  return crc32(source.replace(/[\r\n]/g, '')) | 0;
}

function rowOf(file: MigrationFile): MirrorChange {
  const description = String(file.particulars?.['description'] ?? '');
  const type = file.particulars?.['prefix'] === 'B' ? 'SQL_BASELINE' : 'SQL';
  const values = {
    installed_rank: NEXT,
    version: versionOf(file),
    description,
    type,
    script: file.fileName,
    checksum: checksumOf(file),
    installed_by: 'tenantctl',
    execution_time: 0,
    success: true,
  };
  return { remove: [], insert: [{ table: null, values }] };
}

function takenBack(file: MigrationFile): MirrorChange {
  return {
    remove: [{ table: null, values: { version: versionOf(file), script: file.fileName } }],
    insert: [],
  };
}
