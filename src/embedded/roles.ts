import path from 'node:path';
import { internalError } from '../core/errors.js';
import type { Account } from './account.js';
import type { Binaries } from './binaries.js';
import type { Passwords } from './cluster.js';
import { runProgram } from './program.js';

/** The role that the fleet is run with: what a managed server gives its customer, and no more. */
export const ADMIN_ROLE = 'tenantctl_admin';
export const SUPERUSER_ROLE = 'postgres';

/** Answered by the server itself at the end, because single-user mode ends well even after an error. */
const PROOF = `select 'roles: '
    || string_agg(rolname || ' ' || (rolpassword like 'SCRAM-SHA-256$%'), ', ' order by rolname)
  from pg_authid where rolcanlogin;`;
const PROVED = `roles: ${SUPERUSER_ROLE} true, ${ADMIN_ROLE} true`;

/**
 * Gives a fresh, stopped cluster its two roles and their passwords. PostgreSQL's single-user mode
 * reads SQL from stdin: it needs no connection, and no password passes through a file or an argument.
 */
export async function createRoles(
  data: string,
  binaries: Binaries,
  account: Account,
  passwords: Passwords,
): Promise<void> {
  const statements = [
    `alter role ${SUPERUSER_ROLE} password '${passwords.superuser}';`,
    `create role ${ADMIN_ROLE} login nosuperuser createdb createrole password '${passwords.admin}';`,
    PROOF,
  ];
  // -j: a statement ends with a semicolon and an empty line. An error does not quote it, password and all.
  const session = await runProgram(
    path.join(binaries.bin, 'postgres'),
    [
      '--single',
      '-j',
      '-D',
      data,
      '-c',
      'exit_on_error=true',
      '-c',
      'log_min_error_statement=panic',
      'postgres',
    ],
    account,
    `${statements.join('\n\n')}\n\n`,
  );
  if (session.ok && session.stdout.includes(PROVED)) return;
  throw internalError(
    'LOCAL_SERVER_NO_ROLES',
    `The local server's roles could not be made: ${session.stderr.trim() || session.stdout.trim()}`,
  );
}
