import { rememberUrl } from '../core/redact.js';
import type { LocalServer } from '../embedded/server.js';
import { properties } from '../render/table.js';

/** What is told of a running local server; the password in its URL does not survive printing. */
export function serverFacts(server: LocalServer) {
  const url = server.adminUrl('postgres');
  rememberUrl(url);
  const { pid, port, version, dataDirectory } = server;
  return { running: true, url, pid, port, version, dataDirectory };
}

/** The same for people; the way to the password included. */
export function serverText(headline: string, server: LocalServer): string {
  const { url, pid, dataDirectory, version } = serverFacts(server);
  return properties([
    ['PostgreSQL', `${version} ${headline}`],
    ['url', `${url} (tenantctl dev url prints it whole)`],
    ['process', String(pid)],
    ['data', dataDirectory],
  ]);
}
