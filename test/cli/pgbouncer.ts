import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { newFolder } from '../support/folder.js';

const PROGRAM = '/usr/sbin/pgbouncer';

/** Why tests with it are skipped, as a part of their name; empty where it is installed. */
export const WITHOUT_PGBOUNCER = existsSync(PROGRAM) ? '' : ` (skipped: there is no ${PROGRAM})`;

/** Starts pgbouncer in transaction mode in front of the server that the URL names. It does not run as root. */
export async function startPgbouncer(server: string): Promise<{ port: number; close: () => void }> {
  const folder = newFolder();
  chmodSync(folder, 0o777);
  const { username, password, port: behind } = new URL(server);
  const port = await freePort();
  writeFileSync(join(folder, 'users'), `"${username}" "${password}"\n`);
  writeFileSync(
    join(folder, 'ini'),
    `[databases]\n* = host=127.0.0.1 port=${behind}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\n` +
      `auth_type = plain\nauth_file = ${folder}/users\npool_mode = transaction\nunix_socket_dir =\nserver_tls_sslmode = disable\n`,
  );
  const asRoot = process.geteuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(PROGRAM, [...asRoot, join(folder, 'ini')], { stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of child.stderr) if (String(line).includes('process up')) break;
  return { port, close: () => void child.kill('SIGKILL') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
