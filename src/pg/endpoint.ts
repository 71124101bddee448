import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { configError } from '../core/errors.js';
import { rememberUrl } from '../core/redact.js';

/** A server to connect to, and how much of it this process may use. */
export interface Endpoint {
  name: string;
  /** Secret. */
  url: string;
  maxConnections: number;
  maxPerDatabase: number;
}

const DEFAULT_PORT = 5432;

/**
 * What the driver needs to connect. URLs are read here rather than by the driver's own parser,
 * which changes the meaning of `sslmode` between versions and warns on stderr.
 * @throws configuration error `URL_INVALID` that never repeats the URL
 */
export function clientConfig(endpoint: Endpoint, database: string): ClientConfig {
  const url = parse(endpoint);
  const ssl = tls(url, endpoint.name);
  return {
    host: url.searchParams.get('host') ?? decodeURIComponent(url.hostname),
    port: Number(url.searchParams.get('port') ?? (url.port || DEFAULT_PORT)),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password) || (url.searchParams.get('password') ?? ''),
    database,
    ...(ssl === undefined ? {} : { ssl }),
  };
}

/** The database that the URL itself names. */
export function databaseOf(endpoint: Endpoint): string {
  const url = parse(endpoint);
  return decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username);
}

/** `user@host:port`, to tell a person which server is meant. */
export function describeEndpoint(endpoint: Endpoint): string {
  const { host, port, user } = clientConfig(endpoint, '');
  return `${user}@${host}:${port}`;
}

function parse(endpoint: Endpoint): URL {
  rememberUrl(endpoint.url);
  try {
    return new URL(endpoint.url);
  } catch {
    throw configError('URL_INVALID', `The URL of ${endpoint.name} cannot be read.`, {
      hint: 'Write postgres://user@host:port/database, the password after the user and a colon, with special characters percent-encoded.',
    });
  }
}

/**
 * `sslmode` as strictly as it can be meant: `require` and `verify-ca` verify like `verify-full`;
 * only `no-verify` accepts any certificate, and it says so by its name.
 */
function tls(url: URL, name: string): ClientConfig['ssl'] {
  const mode = url.searchParams.get('sslmode') ?? 'prefer';
  const ca = url.searchParams.get('sslrootcert');
  switch (mode) {
    case 'disable':
      return false;
    case 'allow':
    case 'prefer':
      return undefined;
    case 'no-verify':
      return { rejectUnauthorized: false };
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return { rejectUnauthorized: true, ...(ca === null ? {} : { ca: readFileSync(ca, 'utf8') }) };
    default:
      throw configError('URL_INVALID', `The URL of ${name} has an unknown sslmode "${mode}".`, {
        hint: 'Use disable, prefer, require, verify-ca, verify-full or no-verify.',
      });
  }
}
