import type { Migration } from './migration.js';
import type { ParsedStatement } from './parser.js';

type Node = Readonly<Record<string, unknown>>;

/** Statements that act beyond the database, or that stay when their transaction is rolled back. */
const STATEMENTS: Readonly<Record<string, string>> = {
  CreateSubscriptionStmt: 'CREATE SUBSCRIPTION',
  AlterSubscriptionStmt: 'ALTER SUBSCRIPTION',
  DropSubscriptionStmt: 'DROP SUBSCRIPTION',
  AlterSystemStmt: 'ALTER SYSTEM',
  CreateForeignServerStmt: 'CREATE SERVER',
  CreateForeignTableStmt: 'CREATE FOREIGN TABLE',
  ImportForeignSchemaStmt: 'IMPORT FOREIGN SCHEMA',
  LoadStmt: 'LOAD',
};

/** Functions that write or read files of the server, reach other servers, or that no rollback takes back. */
const FUNCTION =
  /^(?:dblink\w*|lo_(?:import|export)|pg_(?:read|write)_\w*file|pg_(?:file|ls|stat_file|background|switch|backup|promote|rotate|reload|terminate|cancel|logical|replication|create|drop|copy|advisory_lock|try_advisory_lock)\w*|https?_\w+|http|aws_\w+|invoke|query_export_to_s3|table_import_from_s3|query_to_xml\w*)$/;

/** Locks of a transaction go with it. */
const HARMLESS = /^pg_(?:try_)?advisory_xact_lock/;

/** The same in the body of a function or DO block, which is text to the parser. */
const IN_A_BODY: readonly [RegExp, string][] = [
  [/\bcopy\b[^;]*\b(?:from|to)\s+(?:program\b|e?'|[$%])/i, 'COPY'],
  [/\b(?:create|alter|drop)\s+subscription\b/i, 'a subscription'],
  [/\balter\s+system\b/i, 'ALTER SYSTEM'],
  [/\b(?:import\s+foreign|create\s+(?:foreign\s+table|server))\b/i, 'a foreign server'],
  [/\bload\s+'/i, 'LOAD'],
];

const CALL = /([a-z_][a-z0-9_]*)\s*\(/gi;

/** Languages whose functions can do no more than SQL can. */
const CONFINED = new Set(['sql', 'plpgsql', 'plperl', 'pltcl', 'plv8']);

/**
 * What in migrations may act beyond the transaction that they are played in, or null: a program that is started, a file that
 * is written, another server, a lock or signal that stays. It is judged by the parser's tree and, in bodies of functions, by
 * words: rather too much than too little. Functions that the database has already are known by their names only.
 * @returns `0007_export.sql: COPY … PROGRAM`
 */
export function reachesOut(migrations: readonly Migration[]): string | null {
  for (const { fileName, statements } of migrations)
    for (const statement of statements) {
      const what = statementReachesOut(statement);
      if (what !== null) return `${fileName}: ${what}`;
    }
  return null;
}

function statementReachesOut({ kind, body }: ParsedStatement): string | null {
  if (kind === 'CopyStmt') return copyReachesOut(body);
  const bodies = kind === 'DoStmt' || kind === 'CreateFunctionStmt';
  return STATEMENTS[kind] ?? (bodies ? codeReachesOut(kind, body) : null) ?? callReachesOut(body);
}

function copyReachesOut(body: Node): string | null {
  if (body['is_program'] === true) return 'COPY … PROGRAM';
  return body['filename'] === undefined ? callReachesOut(body) : 'COPY with a file of the server';
}

/** A DO block without a language is PL/pgSQL; a function always has one, unless its body is SQL that was parsed. */
function codeReachesOut(kind: string, body: Node): string | null {
  const options = (body[kind === 'DoStmt' ? 'args' : 'options'] ?? []) as { DefElem?: Option }[];
  const named = (name: string) =>
    options.find(({ DefElem: option }) => option?.defname === name)?.DefElem?.arg;
  const language = named('language')?.String?.sval?.toLowerCase();
  if (language !== undefined && !CONFINED.has(language)) return `code in language ${language}`;
  const code = stringsIn(named('as')).join('\n');
  const found = IN_A_BODY.find(([pattern]) => pattern.test(code))?.[1];
  return found ?? [...code.matchAll(CALL)].map(([, name = '']) => name).find(isCall) ?? null;
}

interface Option {
  defname?: string;
  arg?: { String?: { sval?: string } };
}

function callReachesOut(value: unknown): string | null {
  if (Array.isArray(value)) return first(value);
  if (typeof value !== 'object' || value === null) return null;
  const name = stringsIn((value as Node)['funcname']).at(-1);
  return name !== undefined && isCall(name) ? `${name}()` : first(Object.values(value));
}

function first(values: readonly unknown[]): string | null {
  for (const value of values) {
    const found = callReachesOut(value);
    if (found !== null) return found;
  }
  return null;
}

function isCall(name: string): boolean {
  const lower = name.toLowerCase();
  return FUNCTION.test(lower) && !HARMLESS.test(lower);
}

/** Every string in a part of the parser's tree. */
function stringsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { sval } = value as { sval?: unknown };
  return typeof sval === 'string' ? [sval] : Object.values(value).flatMap(stringsIn);
}
