import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { tellWhatStands } from '../retention/hold.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

interface LocalHold {
  tenant: string;
  /** Ids of the holds that the home knows. */
  holds: string[];
}

/**
 * A legal hold that the catalog knows and the home does not, so that the home would let rows be deleted; or one that
 * the home knows and the catalog does not.
 */
export async function holdsDiffer(context: DatabaseContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, session } = context;
  const local = await localHolds(session);
  return fleet.catalog(async (connection) => {
    const standing = await standingHere(connection, cluster, session.database);
    const released = await knownReleased(
      connection,
      local.flatMap(({ holds }) => holds),
    );
    const held = new Set(local.map(({ tenant }) => tenant));
    return [
      ...standing.filter((tenant) => !held.has(tenant)).map((tenant) => unknownAtHome(context, tenant)),
      ...local
        .filter(({ tenant }) => !standing.includes(tenant))
        .map((hold) =>
          unknownToCatalog(
            context,
            hold,
            hold.holds.every((id) => released.has(id)),
          ),
        ),
    ];
  });
}

/** A home that its tenant has left need not know. */
async function localHolds(session: Connection): Promise<LocalHold[]> {
  return session.rows<LocalHold>(sql`
    select tenant, coalesce((select json_agg(h ->> 'hold') from jsonb_array_elements(case jsonb_typeof(hold) when 'array' then hold else jsonb_build_array(hold) end) h), '[]') as holds
      from tenantctl.placement where hold is not null and state <> 'moved' order by tenant`);
}

async function standingHere(connection: Connection, cluster: string, database: string): Promise<string[]> {
  const rows = await connection.rows<{ tenant: string }>(sql`
    select distinct h.tenant from tenantctl_catalog.holds h
      join tenantctl_catalog.placements p on p.tenant = h.tenant and p.until is null
     where h.released_at is null and p.cluster = ${cluster} and p.database = ${database} order by 1`);
  return rows.map(({ tenant }) => tenant);
}

async function knownReleased(connection: Connection, holds: readonly string[]): Promise<Set<string>> {
  const rows = await connection.rows<{ id: string }>(
    sql`select id from tenantctl_catalog.holds where id = any (${holds}::text[]) and released_at is not null`,
  );
  return new Set(rows.map(({ id }) => id));
}

function unknownAtHome(context: DatabaseContext, tenant: string): DoctorFinding {
  return {
    rule: 'holds-differ',
    level: 'error',
    where: `${placeName(context)}, tenant ${tenant}`,
    message: `the catalog knows a legal hold on tenant ${tenant}, and its home does not`,
    hint: `\`tenantctl doctor --fix\` tells the home.`,
    facts: { tenant, held: 'catalog' },
    mend: () => mend(context, tenant),
  };
}

/** A hold that the catalog has released may go; one that it never knew is never lifted by guessing. */
function unknownToCatalog(
  context: DatabaseContext,
  { tenant, holds }: LocalHold,
  released: boolean,
): DoctorFinding {
  return {
    rule: 'holds-differ',
    level: 'error',
    where: `${placeName(context)}, tenant ${tenant}`,
    message: released
      ? `the home of tenant ${tenant} still knows a legal hold that was released`
      : `the home of tenant ${tenant} knows a legal hold of which the catalog knows nothing: the catalog may be an old copy`,
    hint: released
      ? '`tenantctl doctor --fix` tells the home.'
      : `Find out who has placed it, then place it again: \`tenantctl retention hold ${tenant} --reason "<why>"\`. Nothing of the tenant is deleted meanwhile.`,
    facts: { tenant, held: 'home', holds },
    ...(released ? { mend: () => mend(context, tenant) } : {}),
  };
}

async function mend({ fleet }: DatabaseContext, tenant: string): Promise<void> {
  await tellWhatStands(fleet, tenant);
}
