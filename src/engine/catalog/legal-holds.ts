import type { LegalHold } from '../../core/offboarding.js';
import type { Connection } from '../../pg/connection.js';
import { type Sql, raw, sql } from '../../pg/sql.js';

const COLUMNS = raw(`
  h.id as hold, h.tenant, h.reason, h.author, to_char(h.placed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "placedAt"`);

/** The holds that stand on a tenant, the oldest first. */
export async function standingHoldsOf(connection: Connection, tenant: string): Promise<LegalHold[]> {
  return connection.rows<LegalHold>(
    sql`select ${COLUMNS} from tenantctl_catalog.holds h where h.tenant = ${tenant} and h.released_at is null
         order by h.placed_at, h.id`,
  );
}

/** The oldest of them, or undefined. */
export async function standingHoldOf(connection: Connection, tenant: string): Promise<LegalHold | undefined> {
  return (await standingHoldsOf(connection, tenant))[0];
}

/** Which of these holds the catalog has never known. */
export async function unknownHolds(connection: Connection, holds: readonly string[]): Promise<string[]> {
  const rows = await connection.rows<{ id: string }>(
    sql`select id from tenantctl_catalog.holds where id = any (${holds}::text[])`,
  );
  const known = new Set(rows.map(({ id }) => id));
  return holds.filter((id) => !known.has(id));
}

/** Keeps holds from being placed on a tenant until the transaction ends. */
export async function lockTenant(connection: Connection, tenant: string): Promise<void> {
  await connection.rows(sql`select from tenantctl_catalog.tenants where id = ${tenant} for update`);
}

/** Every hold that stands, the oldest first. */
export async function standingHolds(connection: Connection): Promise<LegalHold[]> {
  return connection.rows<LegalHold>(
    sql`select ${COLUMNS} from tenantctl_catalog.holds h where h.released_at is null order by h.placed_at, h.id`,
  );
}

/** The statement that places a hold. At the end of its transaction the database asks for its audit entry `hold.place`. */
export function holdInsert({ hold, tenant, reason, author }: Omit<LegalHold, 'placedAt'>): Sql {
  return sql`
    insert into tenantctl_catalog.holds (id, tenant, reason, author) values (${hold}, ${tenant}, ${reason}, ${author})`;
}

/** The statement that releases a hold; the database asks for an audit entry `hold.release` in the same way. */
export function holdRelease(hold: string, releasedBy: string, reason: string): Sql {
  return sql`
    update tenantctl_catalog.holds set released_at = now(), released_by = ${releasedBy}, release_reason = ${reason}
     where id = ${hold} and released_at is null`;
}
