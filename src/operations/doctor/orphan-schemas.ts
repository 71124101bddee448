import type { Connection } from '../../pg/connection.js';
import { ident, sql } from '../../pg/sql.js';
import { idIn } from './named-like.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

/**
 * Schemas that are named like a tenant's own, and that neither local state nor catalog knows. Schema and local placement
 * come into being in one transaction, so this tool has not left them half made: somebody else has made or restored them.
 */
export async function orphanSchemas(context: DatabaseContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, session } = context;
  const { names, extensionsSchema } = fleet.settings.tenancy;
  const schemas = await session.rows<Found>(sql`
    select n.nspname::text as schema,
           not exists (select from pg_class c where c.relnamespace = n.oid)
             and not exists (select from pg_proc p where p.pronamespace = n.oid)
             and not exists (select from pg_type t where t.typnamespace = n.oid) as empty
      from pg_namespace n
     where n.nspname !~ '^pg_' and not n.nspname = any (${['information_schema', 'public', 'tenantctl', 'tenantctl_catalog', extensionsSchema]}::text[])
       and not exists (select from tenantctl.placement p where p.schema = n.nspname) order by 1`);
  const named = schemas.filter(({ schema }) => idIn(names.schema, schema) !== undefined);
  if (named.length === 0) return [];
  const known = await fleet.catalog((catalog) => knownSchemas(catalog, cluster, session.database));
  for (const { schema } of Object.values(fleet.cluster(cluster).pools)) known.add(schema);
  return named.filter(({ schema }) => !known.has(schema)).map((found) => finding(context, found));
}

interface Found {
  schema: string;
  empty: boolean;
}

/** Places of today and of former days, pools, and those that a move is about to make. */
async function knownSchemas(catalog: Connection, cluster: string, database: string): Promise<Set<string>> {
  const rows = await catalog.rows<{ schema: string }>(sql`
    select schema from tenantctl_catalog.placements where cluster = ${cluster} and database = ${database}
    union select schema from tenantctl_catalog.pools where cluster = ${cluster} and database = ${database}
    union select to_home ->> 'schema' from tenantctl_catalog.moves
     where finished_at is null and to_home ->> 'cluster' = ${cluster} and to_home ->> 'database' = ${database}`);
  return new Set(rows.map(({ schema }) => schema));
}

function finding(context: DatabaseContext, { schema, empty }: Found): DoctorFinding {
  const id = idIn(context.fleet.settings.tenancy.names.schema, schema) as string;
  const statement = `drop schema ${ident(schema).text()}`;
  return {
    rule: 'orphan-schema',
    level: 'warning',
    where: `${placeName(context)}.${schema}`,
    message: `it is named like the schema of a tenant ${id}, and neither the catalog nor the local state of this database knows it${empty ? '; it is empty' : ''}`,
    hint: empty
      ? `This tool has not made it. If nobody needs it: ${statement};`
      : `This tool has not made it, or its local state is lost. See what is in it: a tenant that is there already is taken in by \`tenantctl adopt\`; tenant ${id} cannot be provisioned here while it is there.`,
    facts: { schema, tenant: id, empty, ...(empty ? { sql: [statement] } : {}) },
  };
}
