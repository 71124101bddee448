import { refusedError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { type DatabaseError, isDatabaseError } from '../../pg/errors.js';
import { withLock } from '../../pg/locks.js';
import { ident, raw, sql } from '../../pg/sql.js';
import type { ExtensionWish } from './extension-statements.js';
import type { Migration } from './migration.js';

/** What each session has found, or made, in its database. */
const ready = new WeakMap<Connection, Set<string>>();

/** On every search path. */
const SYSTEM_SCHEMA = 'pg_catalog';
const NOT_ALLOWED = '42501';

/**
 * Makes sure that the database of a connection has the extensions that migrations ask for, in the schema
 * that is on every search path. A session asks once; call it outside a transaction.
 * @param migrations those that are about to run
 * @throws refusal (exit 6) with the statement that somebody has to run: `EXTENSION_NEEDS_SUPERUSER`,
 *   `EXTENSION_NOT_AVAILABLE`, `EXTENSION_ELSEWHERE`
 */
export async function ensureExtensions(
  connection: Connection,
  schema: string,
  migrations: readonly Migration[],
): Promise<void> {
  const known = ready.get(connection) ?? new Set();
  const wishes = migrations.flatMap(({ extensions }) => extensions).filter(({ name }) => !known.has(name));
  if (wishes.length === 0) return;
  if ((await missingOf(connection, schema, wishes)).length > 0) {
    // Two processes may come at once: IF NOT EXISTS alone does not keep them apart.
    await withLock(connection, 'install', 'extensions', async () => {
      for (const wish of await missingOf(connection, schema, wishes)) await install(connection, schema, wish);
    });
  }
  for (const { name } of wishes) known.add(name);
  ready.set(connection, known);
}

/** Those that are not there, each once, in order. */
async function missingOf(
  connection: Connection,
  schema: string,
  wishes: readonly ExtensionWish[],
): Promise<ExtensionWish[]> {
  const rows = await connection.rows<{ name: string; schema: string; fixed: boolean }>(sql`
    select e.extname as name, n.nspname as schema, not e.extrelocatable and v.schema is not null as fixed
      from pg_extension e join pg_namespace n on n.oid = e.extnamespace
      left join pg_available_extension_versions v on v.name = e.extname and v.version = e.extversion
     where e.extname = any(${wishes.map(({ name }) => name)}::text[])`);
  const installed = new Map(rows.map((row) => [row.name, row]));
  for (const wish of wishes) {
    const found = installed.get(wish.name);
    if (found !== undefined && !found.fixed && ![schema, SYSTEM_SCHEMA].includes(found.schema))
      throw elsewhere(connection, schema, wish, found.schema);
  }
  const first = (wish: ExtensionWish, index: number): boolean =>
    wishes.findIndex(({ name }) => name === wish.name) === index;
  return wishes.filter((wish, index) => !installed.has(wish.name) && first(wish, index));
}

async function install(connection: Connection, schema: string, wish: ExtensionWish): Promise<void> {
  const offered = await connection.row<{ schema: string | null }>(sql`
    select v.schema from pg_available_extensions a
      join pg_available_extension_versions v on v.name = a.name and v.version = a.default_version
     where a.name = ${wish.name}`);
  if (offered === undefined) throw notAvailable(connection, wish);
  const there = await connection.row(sql`select from pg_namespace where nspname = ${schema}`);
  if (there === undefined) {
    await connection.atomically([
      sql`create schema if not exists ${ident(schema)}`,
      sql`grant usage on schema ${ident(schema)} to public`,
    ]);
  }
  try {
    await connection.execute(raw(statementFor(schema, wish, offered.schema !== null)));
  } catch (error) {
    if (isDatabaseError(error) && error.code === NOT_ALLOWED)
      throw needsSuperuser(connection, schema, wish, error);
    throw error;
  }
}

/** Some extensions have a schema of their own, and say its name themselves. */
function statementFor(schema: string, { name, cascade }: ExtensionWish, fixed = false): string {
  const where = fixed ? '' : ` schema ${ident(schema).text()}`;
  return `create extension if not exists ${ident(name).text()}${where}${cascade ? ' cascade' : ''}`;
}

function needsSuperuser(connection: Connection, schema: string, wish: ExtensionWish, cause: DatabaseError) {
  const { database, user } = connection;
  const quoted = ident(schema).text();
  return refusedError(
    'EXTENSION_NEEDS_SUPERUSER',
    `${wish.file} needs extension ${wish.name} in database ${database}, and ${user} may not create it: ${cause.message}.`,
    {
      hint:
        `A superuser must run, in database ${database}: ${statementFor(schema, wish)}; ` +
        `For databases that tenantctl makes, in template1, of which they are copies: create schema if not exists ${quoted}; ` +
        `grant usage on schema ${quoted} to public; ${statementFor(schema, wish)};`,
      facts: factsOf(connection, wish),
      cause,
    },
  );
}

function notAvailable(connection: Connection, wish: ExtensionWish) {
  return refusedError(
    'EXTENSION_NOT_AVAILABLE',
    `${wish.file} needs extension ${wish.name}, which is not installed on ${connection.server}.`,
    {
      hint: 'Install the package of the extension on that server, then run the same command again.',
      facts: factsOf(connection, wish),
    },
  );
}

function elsewhere(connection: Connection, schema: string, wish: ExtensionWish, found: string) {
  const statement = `alter extension ${ident(wish.name).text()} set schema ${ident(schema).text()};`;
  return refusedError(
    'EXTENSION_ELSEWHERE',
    `Extension ${wish.name} of database ${connection.database} is in schema ${found}, which is on no tenant's search path.`,
    {
      hint: `A superuser must run, in database ${connection.database}: ${statement} Where nothing uses it, drop it there: tenantctl makes it anew.`,
      facts: factsOf(connection, wish),
    },
  );
}

function factsOf({ server, database }: Connection, { name, file }: ExtensionWish) {
  return { server, database, extension: name, file };
}
