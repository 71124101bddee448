import { Buffer } from 'node:buffer';

/** What a connection URL says, decoded. The password stays in `href` alone. */
export interface ConnectionUrl {
  href: string;
  host: string;
  port: number;
  database: string;
  user: string | null;
}

/** `problem` is the end of a sentence ("must …") and never repeats any part of the URL. */
export type ConnectionUrlResult = { url: ConnectionUrl } | { problem: string };

const DEFAULT_PORT = 5432;
const SHAPE = 'postgres://user@host:5432/database';
const UNREADABLE =
  'is not a readable connection URL: special characters in user and password must be percent-encoded (%40 for @, %2F for /, %23 for #), the port is a number, and only one host can be named';

/**
 * Reads a `postgres://` or `postgresql://` URL the way libpq does: the host may be a socket folder
 * (percent-encoded, or as `?host=`), the port defaults to 5432, the database to the user's name. The
 * host must be named: a default taken from the surroundings would be a fleet nobody chose.
 */
export function parseConnectionUrl(text: string): ConnectionUrlResult {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    return {
      problem: `must be a connection URL that begins with postgres:// or postgresql://, like ${SHAPE}`,
    };
  }
  try {
    const url = new URL(text);
    return isCut(url) ? { problem: UNREADABLE } : readUrl(url);
  } catch {
    return { problem: UNREADABLE };
  }
}

/**
 * Was the URL cut at a character of its password? What stands behind it, and the rest of the password with it, would be taken for
 * host, port or database, and be shown as such.
 */
function isCut({ pathname, search, hash, username, password }: URL): boolean {
  const nameless = username === '' && (password !== '' || search.includes('@'));
  return nameless || hash !== '' || pathname.includes('@');
}

function readUrl(url: URL): ConnectionUrlResult {
  const user = decodeURIComponent(url.username) || null;
  const host = url.searchParams.get('host') ?? decodeURIComponent(unbracketed(url.hostname));
  const database = decodeURIComponent(url.pathname.slice(1)) || user;
  const port = Number(url.searchParams.get('port') ?? (url.port || DEFAULT_PORT));
  if (host === '') return { problem: `must name a host, like ${SHAPE}` };
  if (host.includes(',')) return { problem: 'must name one host, not several' };
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return { problem: 'must name a port from 1 to 65535' };
  if (database === null) return { problem: `must name a database, like ${SHAPE}` };
  if (!isName(database))
    return { problem: 'must name a database of at most 63 bytes without a NUL character' };
  return { url: { href: url.href, host, port, database, user } };
}

function unbracketed(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function isName(text: string): boolean {
  return Buffer.byteLength(text) <= 63 && !text.includes('\0');
}

/** The URL for people: the password is masked; a text that cannot be read is masked whole. */
export function maskConnectionUrl(text: string): string {
  const result = parseConnectionUrl(text);
  if ('problem' in result) return '***';
  const url = new URL(result.url.href);
  if (url.password !== '') url.password = '***';
  if (url.searchParams.has('password')) url.searchParams.set('password', '***');
  return url.href;
}
