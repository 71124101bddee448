import { configError } from '../../core/errors.js';
import { positionAt, renderCaret } from '../../core/source-position.js';
import type { MigrationFile, MigrationScript } from '../formats/format.js';
import { type AdaptationRules, type Remark, blanks, edited, placeOf } from './adaptation.js';
import { type ExtensionWish, extensionStatements } from './extension-statements.js';
import { foreignSchemas } from './foreign-schemas.js';
import { type ParsedScript, type ParsedStatement, parseScript } from './parser.js';

/** A migration file made fit for many homes, both ways. */
export interface AdaptedFile extends MigrationFile {
  /** Extensions that have to be in the database before it runs. */
  extensions: ExtensionWish[];
  /** What a person should look at: places where the file may mean something else than it does here. */
  remarks: Remark[];
}

/**
 * Takes out of files what a unit must not do itself, and finds the schemas that they name. What is left
 * has the same length and lines. Call `loadParser` first.
 * @throws configuration error `MIGRATION_FOREIGN_SCHEMA` (exit 3) that lists the places in all files,
 *   `EXTENSION_SHARED` for DROP EXTENSION, `MIGRATION_SYNTAX` for what cannot be parsed
 */
export function adaptFiles(files: readonly MigrationFile[], rules: AdaptationRules): AdaptedFile[] {
  const faults: Remark[] = [];
  const adapted = files.map((file): AdaptedFile => {
    const up = withoutShared(adaptScript(file, 'up', rules));
    faults.push(...up.faults);
    if (file.down === null)
      return { ...file, sql: up.sql, extensions: up.extensions, remarks: remarksOf(up) };
    const down = withoutShared(adaptScript(file.down, 'down', rules));
    faults.push(...down.faults);
    return {
      ...file,
      sql: up.sql,
      down: { ...file.down, sql: down.sql },
      extensions: up.extensions,
      remarks: [...remarksOf(up), ...remarksOf(down)],
    };
  });
  if (faults.length > 0) throw foreignSchema(faults, rules);
  return adapted;
}

/** One direction of a migration, made fit as far as that goes, and what is in the way. */
export interface AdaptedScript {
  sql: string;
  /** The script as it was before. */
  parsed: ParsedScript;
  extensions: ExtensionWish[];
  /** Schemas that it names and that cannot be left out. */
  faults: Remark[];
  /** Statements that would take an extension from everybody. */
  shared: Remark[];
  /** What of its extensions is not done, and names that only stand in strings. */
  ignored: Remark[];
  doubts: Remark[];
}

/** Adapts one script; nothing is refused here but what cannot be parsed. Call `loadParser` first. */
export function adaptScript(
  file: MigrationScript,
  way: 'up' | 'down',
  rules: AdaptationRules,
): AdaptedScript {
  const parsed = parseScript(file);
  const { statements } = parsed;
  const extensions = extensionStatements(file, statements, way);
  const taken = [...extensions.taken, ...(file.sending === 'message' ? ownTransactions(statements) : [])];
  const rest = statements.filter((statement) => !taken.includes(statement));
  const schemas = foreignSchemas(file, rest, rules);
  const cuts = taken.map(({ start, end }) => blanks(file.sql, start, end));
  return {
    sql: edited(file.sql, [...cuts, ...schemas.edits]),
    parsed,
    extensions: extensions.wishes,
    faults: schemas.faults,
    shared: extensions.faults,
    ignored: extensions.ignored,
    doubts: schemas.doubts,
  };
}

function withoutShared(script: AdaptedScript): AdaptedScript {
  for (const fault of script.shared) throw sharedExtension(fault);
  return script;
}

const remarksOf = ({ ignored, doubts }: AdaptedScript): Remark[] => [...ignored, ...doubts];

/** BEGIN and COMMIT in a file that is sent as one message; here all of it is one transaction anyway. */
function ownTransactions(statements: readonly ParsedStatement[]): ParsedStatement[] {
  return statements.filter(({ control }) => ['BEGIN', 'START', 'COMMIT'].includes(control ?? ''));
}

const LISTED = 20;

function foreignSchema(faults: readonly Remark[], { onForeignSchema }: AdaptationRules) {
  const [first] = faults as [Remark];
  const lines = faults.slice(0, LISTED).map((fault) => `  ${placeOf(fault)}: ${fault.text}`);
  const more = faults.length > LISTED ? [`  … and ${faults.length - LISTED} more`] : [];
  const caret = renderCaret(first.file.sql, positionAt(first.file.sql, first.offset));
  const count = faults.length === 1 ? 'A migration names' : 'Migrations name';
  return configError(
    'MIGRATION_FOREIGN_SCHEMA',
    [
      `${count} a schema, and would do there what belongs into the schema of a tenant:`,
      ...lines,
      ...more,
      caret,
    ].join('\n'),
    {
      hint:
        onForeignSchema === 'refuse'
          ? 'Leave the schema out of the names, or set migrations.onForeignSchema: rewrite, which leaves out `public`.'
          : 'Only the schema `public` in front of names is left out by itself; change these places by hand.',
      facts: {
        file: first.file.path,
        line: positionAt(first.file.sql, first.offset).line,
        places: faults.map(placeOf),
      },
    },
  );
}

function sharedExtension(fault: Remark) {
  const position = positionAt(fault.file.sql, fault.offset);
  return configError(
    'EXTENSION_SHARED',
    `${fault.file.fileName}:${position.line}: ${fault.text}; a migration cannot take it away.\n${renderCaret(fault.file.sql, position)}`,
    {
      hint: 'Take the statement out. Drop the extension by hand, once a database, when no tenant uses it.',
      facts: { file: fault.file.path, line: position.line },
    },
  );
}
