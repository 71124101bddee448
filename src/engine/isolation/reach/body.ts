/** What the text of a function's body says of what it does, beside the names that it calls. */
export interface Body {
  /** Why it may reach out of the database by itself, or null. */
  danger: string | null;
  /** Names that stand before a bracket, as a call does. */
  calls: ReadonlySet<string>;
  /** All words and quoted names: tables are among them. */
  words: ReadonlySet<string>;
  /** Are statements put together, so that any table may be meant? */
  puts: boolean;
  /** Does it ask who has logged in? */
  asksLogin: boolean;
  /** Does it ask by which role it is run? */
  asksRole: boolean;
}

/** Functions of the server's own whose effect a rollback does not take back, or that speak with others. */
const CALLS =
  /\b(dblink\w*|http_\w+|pg_background\w*|lo_(?:ex|im)port|pg_file_\w+|pg_(?:read|write)_(?:binary_)?file|pg_(?:terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile\w*|pg_switch_wal|pg_promote|pg_logical_emit_message|pg_(?:create|drop|copy)_\w*replication_slot|pg_(?:try_)?advisory_lock(?:_shared)?)\s*\(/i;
const COPIES = /\bcopy\b[^;]*?\b(?:to|from)\s+(?:program\b|'+[^'])/i;
const PEERS = /\b(?:create|alter)\s+subscription\b|\bload\s+'/i;
/** A statement that is put together may call a function whose name stands in a value. */
const NAMED_BY_VALUE =
  /(?:\b(?:select|perform|call|from)|[,(=])\s*%\d*\$?[Is](?:\.%\d*\$?[Is])?\s*\(|'\s*%s/i;

/** What shows who has logged in, which in a probe is the administrator. */
export const ASKS_LOGIN =
  /\b(?:session_user|system_user|session_authorization|pg_stat_activity|inet_client_addr|application_name)\b/i;

/** What differs from role to role, also where they have the same rights. */
export const ASKS_ROLE = /\b(?:current_user|current_role|getpgusername|pg_has_role)\b/i;

const COMMENTS = /--[^\n]*|\/\*[\s\S]*?\*\//g;
const WORDS = /"((?:[^"]|"")+)"(\s*\()?|([\p{L}_][\p{L}\p{N}_$]*)(\s*\()?/gu;

/** Reads a body, or the text of an expression. Strings in it are read as text: what is executed out of them counts too. */
export function readBody(source: string, language: string): Body {
  const text = source.replaceAll(COMMENTS, ' ');
  const calls = new Set<string>();
  const words = new Set<string>();
  for (const [, quoted, opens, word, called] of text.matchAll(WORDS)) {
    const name = quoted?.replaceAll('""', '"') ?? word?.toLowerCase() ?? '';
    words.add(name);
    if (opens !== undefined || called !== undefined) calls.add(name);
  }
  const executed = language === 'plpgsql' ? executedTexts(text) : [];
  return {
    danger: dangerIn(text) ?? unreadable(text, executed),
    calls,
    words,
    puts: executed.length > 0,
    asksLogin: ASKS_LOGIN.test(text),
    asksRole: ASKS_ROLE.test(text),
  };
}

function dangerIn(text: string): string | null {
  const call = CALLS.exec(text)?.[1];
  if (call !== undefined) return `it calls ${call.toLowerCase()}`;
  if (COPIES.test(text)) return 'it copies to or from a program or a file of the server';
  return PEERS.test(text) ? 'it speaks to another server or loads a library' : null;
}

/** What stands behind EXECUTE, with the contents of strings left out. */
function executedTexts(text: string): string[] {
  const plain = text.replaceAll(/'(?:[^']|'')*'/g, "''");
  return [
    ...plain.matchAll(
      /(?<!\bprepared\s)\bexecute\s+(?!function\b|procedure\b|on\b)([^;]*?)(?=\binto\b|\busing\b|\bloop\b|;|$)/gi,
    ),
  ].map(([, executed = '']) => executed.trim());
}

/** Text that is executed must begin where it can be read: with a string, or in a variable that only strings are put into. */
function unreadable(text: string, executed: readonly string[]): string | null {
  if (executed.length > 0 && NAMED_BY_VALUE.test(text)) return 'it calls a function that a value names';
  const unknown = executed.find((one) => !READABLE.test(one) && !isBuilt(one, text));
  return unknown === undefined ? null : `it runs text from elsewhere (EXECUTE ${unknown.slice(0, 60)})`;
}

const READABLE = /^\(*\s*(?:''|format\s*\(\s*''|concat(?:_ws)?\s*\(\s*'')/i;

function isBuilt(variable: string, text: string): boolean {
  if (!/^[a-z_][\w$]*$/i.test(variable)) return false;
  if (new RegExp(String.raw`\binto\s+(?:strict\s+)?[^;]*\b${variable}\b`, 'i').test(text)) return false;
  const given = [...text.matchAll(new RegExp(String.raw`\b${variable}\b[^;:=]*:?=\s*([^;]*);`, 'gi'))];
  const itself = new RegExp(String.raw`^${variable}\s*\|\|`, 'i');
  return (
    given.length > 0 &&
    given.every(
      ([, value = '']) =>
        itself.test(value) || /^\(*\s*(?:'|format\s*\(\s*'|concat(?:_ws)?\s*\(\s*')/i.test(value),
    )
  );
}
