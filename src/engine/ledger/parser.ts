import { loadModule, parseSync, scanSync } from 'libpg-query';
import { configError } from '../../core/errors.js';
import { offsetOfCodePoint, positionAt, renderCaret } from '../../core/source-position.js';
import { dataLoss } from './data-loss.js';
import type { ScriptFile } from '../formats/format.js';
import { type Comment, byteOffsets } from './tokens.js';

/** One statement of a script; offsets are in UTF-16 units of the file's text. */
export interface ParsedStatement {
  /** The parser's name for it, such as `CreateStmt`. */
  kind: string;
  /** What the parser made of it. */
  body: Readonly<Record<string, unknown>>;
  start: number;
  end: number;
  /** The name of the statement when it would take control from the runner, otherwise null. */
  control: string | null;
  /** Does it change a setting for longer than its transaction? */
  outlasts: boolean;
  /** Tables that it makes or adds columns to. */
  tables: TouchedTable[];
  /** For CREATE INDEX CONCURRENTLY: the index it makes, empty when it names none. */
  concurrentIndex: string | null;
  /** Does it say CONCURRENTLY, and may the word be left out where nobody reads yet? */
  concurrent: boolean;
  /** What it throws away for good, in words. */
  losses: string[];
}

/** A table that a statement makes, or adds columns to. */
export interface TouchedTable {
  name: string;
  /** The columns added; null when the table is new, whatever its columns are. */
  added: string[] | null;
}

export interface ParsedScript {
  statements: ParsedStatement[];
  comments: Comment[];
  /** Where CONCURRENTLY stands in statements that run without it as well. */
  concurrently: { start: number; end: number }[];
}

/** Loads PostgreSQL's own grammar (some 50 ms); call it once before parsing. */
export async function loadParser(): Promise<void> {
  await loadModule();
}

interface ParsedNode {
  stmt: Record<string, Record<string, unknown>>;
  stmt_location?: number;
  stmt_len?: number;
}

interface Token {
  start: number;
  end: number;
  text: string;
  tokenName: string;
}

/** Only comments and this word are looked for among the tokens. */
const WORTH_SCANNING = /--|concurrently/i;

/** @throws configuration error `MIGRATION_SYNTAX` (exit 3) with line and caret */
export function parseScript(file: ScriptFile): ParsedScript {
  // The parser takes a text of blanks, but not one of no characters at all.
  if (file.sql === '') return { statements: [], comments: [], concurrently: [] };
  const toOffset = byteOffsets(file.sql);
  const nodes = parse(file);
  const tokens = WORTH_SCANNING.test(file.sql) ? (scanSync(file.sql) as { tokens: Token[] }).tokens : [];
  const statements = nodes.map((node) => describe(node, file.sql, toOffset));
  return {
    statements,
    comments: tokens
      .filter(({ tokenName }) => tokenName === 'SQL_COMMENT')
      .map(({ start, end, text }) => ({ start: toOffset(start), end: toOffset(end), text })),
    concurrently: concurrentTokens(tokens, statements, toOffset),
  };
}

function parse(file: ScriptFile): ParsedNode[] {
  try {
    return (parseSync(file.sql).stmts ?? []) as unknown as ParsedNode[];
  } catch (error) {
    const { message, sqlDetails } = error as Error & { sqlDetails?: { cursorPosition?: number } };
    throw syntaxError(file, message, sqlDetails?.cursorPosition ?? 0);
  }
}

function describe(node: ParsedNode, sql: string, toOffset: (byte: number) => number): ParsedStatement {
  const [kind, body] = Object.entries(node.stmt)[0] as [string, Record<string, unknown>];
  const from = node.stmt_location ?? 0;
  const start = toOffset(from);
  const end = node.stmt_len === undefined ? sql.length : toOffset(from + node.stmt_len);
  return {
    kind,
    body,
    start: start + leadingSpace(sql.slice(start, end)),
    end,
    control: controlOf(kind, body),
    outlasts: kind === 'VariableSetStmt' && body['is_local'] !== true,
    tables: touchedTables(kind, body),
    concurrentIndex:
      kind === 'IndexStmt' && body['concurrent'] === true ? String(body['idxname'] ?? '') : null,
    concurrent: isConcurrent(kind, body),
    losses: dataLoss(kind, body),
  };
}

/** Comments and blanks before the statement belong to it for the parser, not for a reader. */
function leadingSpace(text: string): number {
  return /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(text)?.[0].length ?? 0;
}

const CONTROLLED_SETTINGS = new Set(['role', 'session_authorization', 'search_path']);

function controlOf(kind: string, body: Record<string, unknown>): string | null {
  if (kind === 'TransactionStmt') {
    return String(body['kind']).replace('TRANS_STMT_', '').replaceAll('_', ' ');
  }
  if (kind === 'DiscardStmt') return 'DISCARD';
  if (kind === 'VariableSetStmt') {
    const name = String(body['name'] ?? '');
    if (body['kind'] === 'VAR_RESET_ALL') return 'RESET ALL';
    return CONTROLLED_SETTINGS.has(name) ? `SET ${name}` : null;
  }
  if (kind === 'CopyStmt' && body['is_from'] === true && body['filename'] === undefined)
    return 'COPY … FROM STDIN';
  return null;
}

interface RangeVar {
  relname?: string;
}

interface AlterCommand {
  subtype?: string;
  def?: { ColumnDef?: { colname?: string }; PartitionCmd?: { concurrent?: boolean } };
}

function alterCommands(body: Record<string, unknown>): AlterCommand[] {
  const commands = (body['cmds'] ?? []) as { AlterTableCmd?: AlterCommand }[];
  return commands.flatMap(({ AlterTableCmd: command }) => command ?? []);
}

function touchedTables(kind: string, body: Record<string, unknown>): TouchedTable[] {
  if (kind === 'CreateStmt') return tableNamed(body['relation'] as RangeVar, null);
  if (kind === 'CreateTableAsStmt') {
    return tableNamed((body['into'] as { rel?: RangeVar } | undefined)?.rel, null);
  }
  if (kind !== 'AlterTableStmt') return [];
  const added = alterCommands(body).flatMap(({ subtype, def }) =>
    subtype === 'AT_AddColumn' ? [def?.ColumnDef?.colname ?? ''] : [],
  );
  return added.length === 0 ? [] : tableNamed(body['relation'] as RangeVar, added);
}

function tableNamed(relation: RangeVar | undefined, added: string[] | null): TouchedTable[] {
  return relation?.relname === undefined ? [] : [{ name: relation.relname, added }];
}

function isConcurrent(kind: string, body: Record<string, unknown>): boolean {
  if (kind === 'AlterTableStmt') {
    return alterCommands(body).some(({ def }) => def?.PartitionCmd?.concurrent === true);
  }
  if (kind === 'ReindexStmt') {
    const options = (body['params'] ?? []) as { DefElem?: { defname?: string } }[];
    return options.some(({ DefElem: option }) => option?.defname === 'concurrently');
  }
  return (kind === 'IndexStmt' || kind === 'DropStmt') && body['concurrent'] === true;
}

function concurrentTokens(
  tokens: Token[],
  statements: ParsedStatement[],
  toOffset: (byte: number) => number,
) {
  const builds = statements.filter(({ concurrent }) => concurrent);
  return tokens
    .filter(({ text }) => text.toLowerCase() === 'concurrently')
    .map(({ start, end }) => ({ start: toOffset(start), end: toOffset(end) }))
    .filter((token) => builds.some(({ start, end }) => token.start >= start && token.end <= end));
}

/** The parser's trees and tokens count bytes (its errors count characters); in plain ASCII they are the same. */
function syntaxError(file: ScriptFile, message: string, character: number) {
  const position = positionAt(file.sql, offsetOfCodePoint(file.sql, character));
  return configError(
    'MIGRATION_SYNTAX',
    `${file.fileName}:${position.line}:${position.column}: ${message} (SQLSTATE 42601)\n${renderCaret(file.sql, position)}`,
    {
      hint: 'Nothing was run. Correct the file and start again.',
      facts: { file: file.path, line: position.line, column: position.column, sqlstate: '42601' },
    },
  );
}
