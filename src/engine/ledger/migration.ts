import { configError } from '../../core/errors.js';
import { positionAt, renderCaret } from '../../core/source-position.js';
import type { Tier } from '../../core/tier.js';
import { type Directives, readDirectives } from './directives.js';
import { type MigrationFile, type ScriptFile, readMigrationFiles } from './files.js';
import { type ParsedScript, type ParsedStatement, loadParser, parseScript } from './parser.js';

/** A migration that has been read, parsed and found fit to run. */
export interface Migration extends MigrationFile {
  directives: Directives;
  statements: ParsedStatement[];
  /** May it bring a table or column into being that lacks the tenant's default? */
  createsColumns: boolean;
  /** Its text for a home that nobody reads yet: CONCURRENTLY left out, batches repeated in place. */
  freshSql: string;
}

/**
 * Loads and checks a migration directory.
 * @throws configuration error (exit 3) with file, line and caret for the first statement that cannot run
 */
export async function loadMigrations(directory: string): Promise<Migration[]> {
  const files = await readMigrationFiles(directory);
  await loadParser();
  return files.map(analyse);
}

/** The migrations that a tier has; the others are not for it. */
export function migrationsFor(migrations: readonly Migration[], tier: Tier): Migration[] {
  return migrations.filter(({ directives }) => directives.tiers.includes(tier));
}

/** Parses one file and refuses what this tool must do itself. Call `loadParser` first. */
export function analyse(file: MigrationFile): Migration {
  const script = parseScript(file);
  const directives = readDirectives(file.fileName, script.comments);
  for (const statement of script.statements) refuseOwnControl(file, statement);
  if (directives.batched) requireOneDataStatement(file, script);
  return {
    ...file,
    directives,
    statements: script.statements,
    createsColumns: script.statements.some(({ createsColumns }) => createsColumns),
    freshSql: directives.batched ? repeatInPlace(file, script) : withoutConcurrently(file.sql, script),
  };
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

/** A fresh home is made in one transaction, so the batches of a backfill follow each other inside it. */
function repeatInPlace(file: MigrationFile, { statements }: ParsedScript): string {
  const { start, end } = statements[0] as ParsedStatement;
  const tag = `$tenantctl_${file.checksum.slice(0, 8)}$`;
  const statement = file.sql.slice(start, end);
  return `do ${tag} declare touched bigint; begin loop\n${statement};\nget diagnostics touched = row_count; exit when touched = 0; end loop; end ${tag}`;
}

/** Blanks the word out, character for character, so that positions in errors stay true. */
function withoutConcurrently(sql: string, { concurrently }: ParsedScript): string {
  return concurrently.reduce(
    (text, { start, end }) => text.slice(0, start) + ' '.repeat(end - start) + text.slice(end),
    sql,
  );
}
