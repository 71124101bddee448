import type { ScriptFile } from '../formats/format.js';
import { type AdaptationRules, type Edit, type Remark, blanks } from './adaptation.js';
import type { ParsedStatement } from './parser.js';
import { type QualifiedName, namesOfStatement } from './qualified-names.js';
import { pathOfFunction, schemaStatement } from './schema-statements.js';
import { type Token, nameOf, tokensOf } from './tokens.js';

/** What the ORMs and dumps write; any other schema means something of its own, and is never guessed. */
const DEFAULT_SCHEMA = 'public';
const SYSTEM = new Set(['pg_catalog', 'information_schema', 'pg_temp']);
/** A name in a string: `public.x` or `'public'`. */
const IN_A_STRING = /(?<![\w$.])"?public"?\.["\w]|'public'/;

export interface ForeignSchemas {
  /** What is written instead, where that is safe and wished. */
  edits: Edit[];
  /** What cannot stay as it is. */
  faults: Remark[];
  /** What may name a schema, in text that only runs later. */
  doubts: Remark[];
}

/** Dotted words as they stand in the text. */
interface Run {
  parts: string[];
  tokens: Token[];
}

/**
 * Finds every schema that a script names and that is not the server's own or the one for extensions.
 * Under `rewrite` the qualifier `public` is blanked out; what it qualified is then looked up in the
 * unit's schema. Names inside strings and function bodies are only reported.
 */
export function foreignSchemas(
  file: ScriptFile,
  statements: readonly ParsedStatement[],
  rules: AdaptationRules,
): ForeignSchemas {
  const search = new Search(file, rules);
  for (const statement of statements) search.look(statement);
  return search.found;
}

class Search {
  readonly found: ForeignSchemas = { edits: [], faults: [], doubts: [] };
  private scanned: Token[] | undefined;

  constructor(
    private readonly file: ScriptFile,
    private readonly rules: AdaptationRules,
  ) {}

  look(statement: ParsedStatement): void {
    const names = namesOfStatement(statement.body);
    const foreign = names.qualified.filter(({ schema }) => this.isForeign(schema));
    if (foreign.length > 0) this.names(statement, foreign, names.columns);
    for (const literal of names.literals) this.literal(statement, literal);
    this.wholeSchemas(statement);
    this.functionPath(statement);
    this.strings(statement, new Set(names.literals.map(({ at }) => at)));
  }

  private isForeign(schema: string): boolean {
    if (SYSTEM.has(schema)) return false;
    return schema === DEFAULT_SCHEMA || schema !== this.rules.extensionsSchema;
  }

  private rewrites(schema: string): boolean {
    return this.rules.onForeignSchema === 'rewrite' && schema === DEFAULT_SCHEMA;
  }

  private names(statement: ParsedStatement, foreign: QualifiedName[], columns: ReadonlySet<number>): void {
    const runs = runsOf(this.tokensIn(statement)).filter(({ tokens }) => !columns.has(tokens[0]?.byte ?? -1));
    const wanted = new Map(foreign.map((name) => [name.dotted.join('\0'), name]));
    for (const [key, { schema, dotted }] of wanted) {
      const places = runs.filter(({ parts }) => parts.join('\0') === key);
      if (places.length === 0) this.fault(statement.start, `it names ${dotted.join('.')}`);
      for (const place of places) this.name(place, schema, dotted.join('.'));
    }
  }

  private name({ parts, tokens }: Run, schema: string, dotted: string): void {
    const [first, dot, next] = tokens as [Token, Token, Token];
    const edit =
      this.rewrites(schema) && parts[0] === schema ? this.unqualified(first, dot, next) : undefined;
    if (edit === undefined) this.fault(first.start, `${dotted} is in schema ${schema}`);
    else this.found.edits.push(edit);
  }

  /** `public.user` without its schema is another word of the grammar, so it is quoted in the room that is left. */
  private unqualified(first: Token, dot: Token, next: Token): Edit | undefined {
    if (!next.keyword) return blanks(this.file.sql, first.start, dot.end);
    const { text } = blanks(this.file.sql, first.start, next.end);
    const quoted = `"${nameOf(next)}"`;
    if (dot.end !== next.start) return undefined;
    return { start: first.start, end: next.end, text: text.slice(0, -quoted.length) + quoted };
  }

  private literal(statement: ParsedStatement, { text, at }: { text: string; at: number }): void {
    const match = /^\s*("(?:[^"]|"")+"|[^".\s]+)\s*\.(.+)$/s.exec(text);
    const schema = match?.[1]?.replace(/^"|"$/g, '') ?? '';
    if (match === null || !this.isForeign(schema)) return;
    const token = this.tokensIn(statement).find(({ byte }) => byte === at);
    const plain = token?.text === `'${text}'` && !IN_A_STRING.test(match[2] ?? '');
    if (token === undefined || !plain || !this.rewrites(schema)) {
      this.fault(token?.start ?? statement.start, `'${text}' is in schema ${schema}`);
      return;
    }
    const start = token.start + 1;
    this.found.edits.push(blanks(this.file.sql, start, start + text.length - (match[2] ?? '').length));
  }

  private wholeSchemas({ kind, body, start, end }: ParsedStatement): void {
    const about = schemaStatement(kind, body);
    const foreign = about?.schemas.filter((schema) => this.isForeign(schema)) ?? [];
    if (about === undefined || foreign.length === 0) return;
    const idle = about.idle && about.schemas.every((schema) => this.rewrites(schema));
    if (idle) this.found.edits.push(blanks(this.file.sql, start, end));
    else this.fault(start, `the statement is about schema ${foreign.join(', ')} as a whole`);
  }

  private functionPath({ body, start }: ParsedStatement): void {
    const foreign = pathOfFunction(body).filter((schema) => schema !== '' && this.isForeign(schema));
    if (foreign.length === 0) return;
    const instead = 'SET search_path FROM CURRENT keeps the schema of the tenant';
    this.fault(start, `the function looks names up in schema ${foreign.join(', ')}; ${instead}`);
  }

  /** Bodies of functions and DO blocks, and strings that are the name itself, as queries of catalogs have them. */
  private strings(statement: ParsedStatement, seen: ReadonlySet<number>): void {
    if (!IN_A_STRING.test(this.file.sql.slice(statement.start, statement.end))) return;
    const hasBody = ['CreateFunctionStmt', 'DoStmt'].includes(statement.kind);
    for (const { text, start, byte, literal } of this.tokensIn(statement)) {
      if (!literal || seen.has(byte) || (!hasBody && text !== "'public'")) continue;
      const at = IN_A_STRING.exec(text)?.index;
      if (at !== undefined)
        this.found.doubts.push({
          file: this.file,
          offset: start + at,
          text: 'names schema public in a string',
        });
    }
  }

  private fault(offset: number, text: string): void {
    this.found.faults.push({ file: this.file, offset, text });
  }

  private tokensIn({ start, end }: ParsedStatement): Token[] {
    this.scanned ??= tokensOf(this.file.sql);
    return this.scanned.filter((token) => token.start >= start && token.end <= end);
  }
}

function runsOf(tokens: readonly Token[]): Run[] {
  const runs: Run[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const run: Run = { parts: [], tokens: [] };
    for (;;) {
      const token = tokens[index] as Token;
      run.parts.push(nameOf(token) ?? token.text);
      run.tokens.push(token);
      const dot = tokens[index + 1];
      if (dot?.text !== '.' || tokens[index + 2] === undefined) break;
      run.tokens.push(dot);
      index += 2;
    }
    if (run.parts.length > 1) runs.push(run);
  }
  return runs;
}
