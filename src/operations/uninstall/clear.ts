import { refusedError } from '../../core/errors.js';
import type { TenancySettings } from '../../core/settings.js';
import type { OwnSchema } from '../../engine/ledger/own-schema.js';
import { dependentsOutside } from '../../engine/rows/outside.js';
import type { Connection } from '../../pg/connection.js';
import { withLockRetry } from '../../pg/retry.js';
import { type Sql, ident, literal, raw, sql } from '../../pg/sql.js';
import { type MarkedTable, readTraces } from './traces.js';

/** Readers and writers of a table queue behind whoever wants to change its policies. */
const SHORTLY = raw(`set local lock_timeout = '500ms'`);
const TRIES = 12;

/**
 * Takes off everything in this database that is ours, but for our own schemas. Each table is done in one transaction, so
 * that it is never open. Again: no change.
 */
export async function clearTables(session: Connection, tenancy: TenancySettings): Promise<void> {
  const { tables, comments, rescanned } = await readTraces(session, tenancy);
  for (const table of tables) {
    const statements = statementsFor(session, table, tenancy);
    if (statements.length > 0) await shortly(session, asOwner(table.owner, statements));
  }
  for (const name of rescanned)
    await session.execute(sql`revoke usage on schema ${ident(name)} from tenantctl_rescan`);
  for (const name of comments) await session.execute(sql`comment on schema ${ident(name)} is null`);
}

/**
 * Drops schemas of ours, with everything in them and nothing else.
 * @throws refusal `UNINSTALL_BLOCKED` (exit 6) when something outside them would go as well
 */
export async function dropOwnSchemas(session: Connection, schemas: readonly OwnSchema[]): Promise<void> {
  const names = new Set(schemas.map(({ schema }) => schema));
  await withLockRetry(TRIES, new Set(), () =>
    session.transaction(async () => {
      await session.execute(SHORTLY);
      for (const { schema } of schemas) {
        const outside = (await dependentsOutside(session, schema)).filter(
          ({ name }) => ![...names].some((own) => name.startsWith(`${own}.`)),
        );
        if (outside.length > 0)
          throw stillUsed(
            session,
            schema,
            outside.map(({ kind, name }) => `${kind} ${name}`),
          );
        await session.execute(sql`drop schema if exists ${ident(schema)} cascade`);
      }
    }),
  );
}

function statementsFor(session: Connection, table: MarkedTable, tenancy: TenancySettings): Sql[] {
  const on = ident(table.schema, table.name);
  const plain = plainCondition(table, tenancy);
  const fleet = sql`session_user = ${raw(literal(session.user))} and current_setting('tenantctl.scope', true) = 'fleet'`;
  const { policies, triggers, checks, rescanned } = table;
  return [
    ...triggers.map((name) => sql`drop trigger if exists ${ident(name)} on ${on}`),
    ...checks.map((name) => sql`alter table ${on} drop constraint if exists ${ident(name)}`),
    ...(policies.includes('tenantctl_tenant')
      ? [sql`alter policy tenantctl_tenant on ${on} using (${plain}) with check (${plain})`]
      : []),
    ...(policies.includes('tenantctl_guard')
      ? [
          sql`alter policy tenantctl_guard on ${on} using ((${fleet}) or (${plain})) with check ((${fleet}) or (${plain}))`,
        ]
      : []),
    ...(policies.includes('tenantctl_rescan') ? [sql`drop policy tenantctl_rescan on ${on}`] : []),
    ...(rescanned ? [sql`revoke select on ${on} from tenantctl_rescan`] : []),
  ];
}

/** What holds a session to its tenant, without a look at the placement. */
function plainCondition({ type }: MarkedTable, { column, setting }: TenancySettings): Sql {
  return sql`${ident(column)} = nullif(current_setting(${setting}, true), '')::${raw(type ?? 'text')}`;
}

function asOwner(owner: string, statements: readonly Sql[]): Sql[] {
  return [
    sql`select set_config('role', ${owner}, true)`,
    ...statements,
    sql`select set_config('role', 'none', true)`,
  ];
}

async function shortly(session: Connection, statements: readonly Sql[]): Promise<void> {
  await withLockRetry(TRIES, new Set(), () => session.atomically([SHORTLY, ...statements]));
}

function stillUsed(session: Connection, schema: string, users: readonly string[]) {
  return refusedError(
    'UNINSTALL_BLOCKED',
    `Schema ${schema} of database ${session.database} is still used from outside: ${users.slice(0, 5).join(', ')}.`,
    {
      hint: 'Drop that, or let it use something else, and run the same command again. What was removed so far stays removed.',
      facts: { database: session.database, schema, outside: users },
    },
  );
}
