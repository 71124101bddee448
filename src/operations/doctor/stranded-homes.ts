import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { knownTenants } from './home-rows.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

/** A home in a state that only a move, or provisioning, gives it. */
interface PassingHome {
  tenant: string;
  schema: string;
  state: string;
  status: string;
}

/** Homes that a move has left or was making, although no move of their tenant is under way. */
export async function strandedHomes(context: DatabaseContext): Promise<DoctorFinding[]> {
  const { fleet, session } = context;
  const homes = await passingHomes(session);
  if (homes.length === 0) return [];
  const accounted = await fleet.catalog((catalog) =>
    accountedFor(
      catalog,
      homes.map(({ tenant }) => tenant),
    ),
  );
  const known = await fleet.catalog((catalog) =>
    knownTenants(
      catalog,
      homes.map(({ tenant }) => tenant),
    ),
  );
  // Another rule tells of a tenant that the catalog has never heard of, where it lives.
  return homes
    .filter(({ tenant, state }) => !accounted.has(tenant) && (known.has(tenant) || state === 'moved'))
    .map((home) => finding(context, home));
}

/** Those that no move accounts for; the homes of other tenants are left out. */
export async function passingHomes(session: Connection): Promise<PassingHome[]> {
  return session.rows<PassingHome>(sql`
    select tenant, schema, state, status from tenantctl.placement
     where state in ('making', 'moving', 'moved') or status = 'moving' order by tenant, schema`);
}

/** Tenants that move, are being made, or are known to be deleted: those are told of by another rule. */
async function accountedFor(catalog: Connection, tenants: readonly string[]): Promise<Set<string>> {
  const rows = await catalog.rows<{ id: string }>(sql`
    select t.id from tenantctl_catalog.tenants t where t.id = any (${tenants}::text[]) and (t.status in ('provisioning', 'deleted')
       or exists (select from tenantctl_catalog.moves m where m.tenant = t.id and m.finished_at is null))`);
  return new Set(rows.map(({ id }) => id));
}

function finding(context: DatabaseContext, { tenant, schema, state, status }: PassingHome): DoctorFinding {
  const says =
    state === 'moved'
      ? 'its tenant has moved away'
      : state === 'making'
        ? 'it is being made'
        : 'its tenant moves';
  return {
    rule: 'stranded-home',
    level: 'error',
    where: `${placeName(context)}.${schema}`,
    message: `this home of tenant ${tenant} says that ${says}, and no move of it is under way; it may hold a copy of its rows`,
    hint: `\`tenantctl show ${tenant}\` says where it lives, \`tenantctl moves list\` how its moves ended. If they ended before a backup was restored here, this copy is old: look at it, and drop it by hand.`,
    facts: { tenant, database: context.session.database, schema, state, status },
  };
}
