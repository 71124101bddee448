/**
 * Secrets never reach output, events, audit rows or errors. Two nets: every URL in a text loses its
 * password, and every secret this process has learned is struck out wherever it appears.
 */
const MASK = '***';
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):([^\s@]+)@/gi;
const KEYWORD_PASSWORD = /((?:\b|PG|_)password\s*[=:]\s*)('(?:[^'\\]|\\.)*'|[^\s&,;]+)/gi;

/**
 * Nobody can tell these from what is no secret: names of users and databases, states, parts of numbers. Struck out wherever they stand,
 * they would take the truth out of results. They are still masked in URLs and where a text says that it is a password.
 */
const ORDINARY = /^(?:.{0,3}|[a-z]{1,11}|\d{1,11})$/i;
const known = new Set<string>();

/** Remembers a secret for the life of the process; its URL-encoded form is struck out as well. */
export function rememberSecret(secret: string | undefined | null): void {
  if (!secret || ORDINARY.test(secret)) return;
  known.add(secret);
  known.add(encodeURIComponent(secret));
}

/** Remembers the password of a connection URL. A text that is no URL is left alone. */
export function rememberUrl(url: string): void {
  try {
    const { password, searchParams } = new URL(url);
    rememberSecret(password);
    rememberSecret(decodeURIComponent(password));
    rememberSecret(searchParams.get('password'));
  } catch {
    // Not a URL: whatever it is, the parser that wants a URL will say so.
  }
}

/** Remembers the password of every URL in a text, which may be cut or changed before it is shown. */
export function rememberUrlsIn(text: string): void {
  for (const [, , password] of text.matchAll(URL_PASSWORD)) rememberSecret(password);
}

/** The text without any password. */
export function redact(text: string): string {
  let clean = text.replace(URL_PASSWORD, `$1:${MASK}@`).replace(KEYWORD_PASSWORD, `$1${MASK}`);
  for (const secret of known) clean = strikeOut(clean, secret);
  return clean;
}

/** A password that is a word is struck out where it stands alone: inside another word it is that word's. */
const WORD = /^[A-Za-z_]+$/;

function strikeOut(text: string, secret: string): string {
  if (!WORD.test(secret)) return text.replaceAll(secret, MASK);
  return text.replaceAll(new RegExp(`(?<![A-Za-z0-9_])${secret}(?![A-Za-z0-9_])`, 'g'), MASK);
}

/** The same value with every string in it redacted; the input is not changed. */
export function redactDeep<T>(value: T): T {
  if (typeof value === 'string') return redact(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => redactDeep(item)) as T;
  if (value instanceof Date || value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactDeep(item)])) as T;
}
