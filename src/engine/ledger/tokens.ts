import { scanSync } from 'libpg-query';

/** A word, sign or literal of a script; offsets are in UTF-16 units of its text. */
export interface Token {
  start: number;
  end: number;
  /** Where it begins in bytes, as the parser's tree counts. */
  byte: number;
  text: string;
  /** Is it a word with a meaning in the grammar, which a name must be quoted to be? */
  keyword: boolean;
  literal: boolean;
}

interface ScannedToken {
  start: number;
  end: number;
  text: string;
  tokenName: string;
  keywordName: string;
}

const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT']);
const LITERALS = new Set(['SCONST', 'USCONST']);

/** The tokens of a script that the parser takes, without its comments. Call `loadParser` first. */
export function tokensOf(sql: string): Token[] {
  if (sql === '') return [];
  const toOffset = byteOffsets(sql);
  const { tokens } = scanSync(sql) as { tokens: ScannedToken[] };
  return tokens
    .filter(({ tokenName }) => !COMMENTS.has(tokenName))
    .map(({ start, end, text, tokenName, keywordName }) => ({
      start: toOffset(start),
      end: toOffset(end),
      byte: start,
      text,
      keyword: keywordName !== 'NO_KEYWORD',
      literal: LITERALS.has(tokenName),
    }));
}

/** A `--` comment; offsets are in UTF-16 units. */
export interface Comment {
  start: number;
  end: number;
  text: string;
}

/** The `--` comments of a script that the parser takes. Call `loadParser` first. */
export function commentsOf(sql: string): Comment[] {
  if (!sql.includes('--')) return [];
  const toOffset = byteOffsets(sql);
  const { tokens } = scanSync(sql) as { tokens: ScannedToken[] };
  return tokens
    .filter(({ tokenName }) => tokenName === 'SQL_COMMENT')
    .map(({ start, end, text }) => ({ start: toOffset(start), end: toOffset(end), text }));
}

/** The name that a word or a quoted identifier stands for; undefined for signs and literals. */
export function nameOf({ text, literal }: Token): string | undefined {
  if (literal) return undefined;
  if (text.startsWith('"')) return text.slice(1, -1).replaceAll('""', '"');
  if (!/^[\p{L}_]/u.test(text)) return undefined;
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Bytes of UTF-8, which the parser counts, to UTF-16 units, for a whole text at once. */
export function byteOffsets(sql: string): (byte: number) => number {
  const bytes = Buffer.byteLength(sql);
  if (bytes === sql.length) return (byte) => byte;
  const offsets = new Uint32Array(bytes + 1);
  let byte = 0;
  let offset = 0;
  for (const character of sql) {
    offsets.fill(offset, byte, byte + Buffer.byteLength(character));
    byte += Buffer.byteLength(character);
    offset += character.length;
  }
  offsets[bytes] = offset;
  return (at) => offsets[at] ?? sql.length;
}
