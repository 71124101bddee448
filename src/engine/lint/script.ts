import { isTenantctlError } from '../../core/errors.js';
import { offsetOfPosition } from './place.js';
import type { MigrationFile, MigrationScript } from '../formats/format.js';
import { type AdaptedScript, adaptScript } from '../ledger/adapt.js';
import type { AdaptationRules } from '../ledger/adaptation.js';
import { DIRECTIVE_MARK, type Directives, readDirectives } from '../ledger/directives.js';
import { runsAlone } from '../ledger/migration.js';
import { type ParsedStatement, parseScript } from '../ledger/parser.js';
import { type Comment, commentsOf } from '../ledger/tokens.js';
import { type Step, stepsOf } from './step.js';

/** A place in a file, with what is to be said of it. */
export interface Note {
  at: number;
  text: string;
}

/** One direction of a migration, read as far as it can be: what could not run stands in it beside the rest. */
export interface Script {
  file: MigrationScript;
  migration: MigrationFile;
  way: 'up' | 'down';
  /** Without the schema `public` in front of names, so that a table has one name. */
  sql: string;
  directives: Directives;
  statements: readonly ParsedStatement[];
  steps: readonly Step[];
  /** None where no comment speaks to the tool. */
  comments: readonly Comment[];
  adapted: AdaptedScript | null;
  /** Where other schemas are named that not even `onForeignSchema: rewrite` would leave out. */
  beyondRewriting: ReadonlySet<number>;
  syntaxError: Note | null;
  unknownDirectives: readonly Note[];
}

/** Reads one direction of a migration; nothing is refused. Call `loadParser` first. */
export function readScript(
  migration: MigrationFile,
  way: 'up' | 'down',
  file: MigrationScript,
  rules: AdaptationRules,
): Script {
  const base = { file, migration, way };
  try {
    const adapted = adaptScript(file, way, rules);
    // Most files name no schema, and are read once.
    const rewritten =
      adapted.faults.length === 0
        ? adapted
        : adaptScript(file, way, { ...rules, onForeignSchema: 'rewrite' });
    const { statements } =
      rewritten.sql === file.sql ? adapted.parsed : parseScript({ ...file, sql: rewritten.sql });
    const comments = file.sql.includes(DIRECTIVE_MARK) ? commentsOf(file.sql) : [];
    const { directives, unknownDirectives } = directivesIn(file, comments);
    directives.noTransaction ||= runsAlone(file, { statements });
    const parsed = { sql: rewritten.sql, statements, directives };
    const beyondRewriting = new Set(rewritten.faults.map(({ offset }) => offset));
    const read = { adapted, beyondRewriting, comments, syntaxError: null, unknownDirectives };
    return { ...base, ...parsed, ...read, steps: stepsOf(parsed) };
  } catch (error) {
    if (!isTenantctlError(error) || error.code !== 'MIGRATION_SYNTAX') throw error;
    return { ...base, ...unreadable(file, error.message, error.facts) };
  }
}

function unreadable(file: MigrationScript, message: string, facts: Record<string, unknown>) {
  const at = offsetOfPosition(file.sql, Number(facts['line']), Number(facts['column']));
  const [said = ''] = message.split('\n');
  return {
    sql: file.sql,
    directives: readDirectives(file, []),
    statements: [],
    steps: [],
    comments: [],
    adapted: null,
    beyondRewriting: new Set<number>(),
    syntaxError: { at, text: said.slice(said.indexOf(': ') + 2) },
    unknownDirectives: [],
  };
}

/** The directives that can be read, and those that cannot. */
function directivesIn(file: MigrationScript, comments: readonly Comment[]) {
  const unknownDirectives: Note[] = [];
  const readable = comments.filter((comment) => {
    try {
      readDirectives(file, [comment]);
      return true;
    } catch (error) {
      if (!isTenantctlError(error)) throw error;
      unknownDirectives.push({
        at: comment.start,
        text: `"${String(error.facts['directive'])}" is no directive`,
      });
      return false;
    }
  });
  return { directives: readDirectives(file, readable), unknownDirectives };
}
