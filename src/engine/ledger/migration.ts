import { configError } from '../../core/errors.js';
import type { MigrationSettings } from '../../core/settings.js';
import { positionAt, renderCaret } from '../../core/source-position.js';
import type { Tier } from '../../core/tier.js';
import { DIRECTIVE_MARK, type Directives, readDirectives } from './directives.js';
import type { MigrationFile, ScriptFile } from '../formats/format.js';
import { readMigrationFiles } from '../formats/registry.js';
import { type AdaptedFile, adaptFiles } from './adapt.js';
import { type ParsedScript, type ParsedStatement, loadParser, parseScript } from './parser.js';

/** A migration that has been read, parsed and found fit to run. */
export interface Migration extends AdaptedFile {
  directives: Directives;
  statements: ParsedStatement[];
  /** Its text for a home that nobody reads yet: all of it can run in one transaction. */
  freshSql: string;
  /** Of a way back: the file that it undoes, and those before that one. */
  undoes?: { file: MigrationFile; earlier: readonly Migration[] };
}

/**
 * Loads and checks a migration directory.
 * @param extensionsSchema the one schema beside the unit's own that files may name
 * @throws configuration error (exit 3) with file, line and caret for the first statement that cannot run,
 *   and for every place that names another schema
 */
export async function loadMigrations(
  settings: MigrationSettings,
  extensionsSchema: string,
): Promise<Migration[]> {
  const files = await readMigrationFiles(settings);
  await loadParser();
  return adaptFiles(files, { onForeignSchema: settings.onForeignSchema, extensionsSchema }).map(analyse);
}

/** The migrations that a tier has; the others are not for it. */
export function migrationsFor(migrations: readonly Migration[], tier: Tier): Migration[] {
  return migrations.filter(({ directives }) => directives.tiers.includes(tier));
}

/**
 * What a file says about itself, for those who do not run it: whether it could is not checked.
 * @throws configuration error (exit 3) for a directive that is not known, or beside which the file cannot be read
 */
export async function directivesOf(file: ScriptFile): Promise<Directives> {
  // Most files say nothing, and the grammar takes its time to load.
  if (!file.sql.includes(DIRECTIVE_MARK)) return readDirectives(file, []);
  await loadParser();
  return readDirectives(file, parseScript(file).comments);
}

/** Parses one file and refuses what this tool must do itself. Call `loadParser` first. */
export function analyse(file: MigrationFile & Partial<AdaptedFile>): Migration {
  const script = parseScript(file);
  const directives = readDirectives(file, script.comments);
  directives.noTransaction ||= runsAlone(file, script);
  for (const statement of script.statements) refuseOwnControl(file, statement);
  if (directives.batched) requireOneDataStatement(file, script);
  else for (const statement of script.statements) refuseUnnamedIndex(file, statement);
  return {
    extensions: [],
    remarks: [],
    ...file,
    directives,
    statements: script.statements,
    freshSql: directives.batched ? repeatInPlace(file, script) : forFreshHome(file.sql, script),
  };
}

/** Does the format's own tool run it outside a transaction? */
export function runsAlone(
  { sending }: Pick<MigrationFile, 'sending'>,
  { statements }: Pick<ParsedScript, 'statements'>,
): boolean {
  if (sending === 'statements') return true;
  return sending === 'message' && statements.length === 1 && statements[0]?.concurrent === true;
}

/** Transactions, roles and search paths belong to the runner: a file that changes them lands elsewhere. */
export function refuseOwnControl(file: ScriptFile, statement: ParsedStatement): void {
  if (statement.control === null) return;
  const position = positionAt(file.sql, statement.start);
  throw configError(
    'MIGRATION_CONTROL_STATEMENT',
    `${file.fileName}:${position.line}: it cannot contain ${statement.control}.\n${renderCaret(file.sql, position)}`,
    {
      hint: 'The file runs in a transaction, a role and a schema chosen by tenantctl; take the statement out.',
      facts: { file: file.path, line: position.line, statement: statement.control },
    },
  );
}

function requireOneDataStatement(file: MigrationFile, { statements }: ParsedScript): void {
  const only = statements.length === 1 ? statements[0] : undefined;
  if (only !== undefined && ['UpdateStmt', 'DeleteStmt', 'InsertStmt'].includes(only.kind)) return;
  throw configError(
    'MIGRATION_NOT_BATCHABLE',
    `${file.fileName}: a batched migration is one UPDATE, DELETE or INSERT.`,
    {
      hint: 'Write one statement that touches a limited number of rows; it is repeated until it touches none.',
      facts: { file: file.path },
    },
  );
}

/** What an interrupted CREATE INDEX CONCURRENTLY leaves behind is found again by its name. */
function refuseUnnamedIndex(file: MigrationFile, { concurrentIndex, start }: ParsedStatement): void {
  if (concurrentIndex !== '') return;
  const position = positionAt(file.sql, start);
  throw configError(
    'MIGRATION_INDEX_UNNAMED',
    `${file.fileName}:${position.line}: an index that is built CONCURRENTLY needs a name.\n${renderCaret(file.sql, position)}`,
    {
      hint: 'Write CREATE INDEX CONCURRENTLY <name> ON …: an interrupted build is found again by its name.',
      facts: { file: file.path, line: position.line },
    },
  );
}

/**
 * A fresh home is made in one transaction, so the batches of a backfill follow each other inside it.
 * EXECUTE keeps the statement apart from the block: its names never meet ours, and RETURNING goes nowhere.
 */
function repeatInPlace(file: MigrationFile, { statements }: ParsedScript): string {
  const { start, end } = statements[0] as ParsedStatement;
  const [block, text] = [`$tenantctl_${file.checksum.slice(0, 8)}$`, `$batch_${file.checksum.slice(0, 8)}$`];
  const statement = file.sql.slice(start, end);
  return `do ${block} declare touched bigint; begin loop execute ${text}${statement}${text};
get diagnostics touched = row_count; exit when touched = 0; end loop; end ${block}`;
}

const VACUUM = 'vacuum';
/** A statement that does nothing, of the same length. */
const NOTHING = 'select';

/**
 * The text with what cannot run in a transaction taken out, character for character, so that positions and
 * numbers of statements stay true: CONCURRENTLY, and VACUUM, for which a fresh home has nothing to do.
 */
function forFreshHome(sql: string, { concurrently, statements }: ParsedScript): string {
  const vacuums = statements.filter(({ kind, start }) => kind === 'VacuumStmt' && isVacuum(sql, start));
  const words = concurrently.reduce(
    (text, { start, end }) => text.slice(0, start) + ' '.repeat(end - start) + text.slice(end),
    sql,
  );
  return vacuums.reduce(
    (text, { start, end }) => text.slice(0, start) + NOTHING.padEnd(end - start) + text.slice(end),
    words,
  );
}

/** ANALYZE alone is parsed as the same kind of statement. */
function isVacuum(sql: string, start: number): boolean {
  return sql.slice(start, start + VACUUM.length).toLowerCase() === VACUUM;
}
