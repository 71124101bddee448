import type { CatalogHome, LocalHome } from './home-rows.js';
import { type ClusterContext, type DatabaseContext, type DoctorFinding, placeName } from './rule.js';
import { ident, sql } from '../../pg/sql.js';

/** A tenant whom the catalog places where there is no home of it. */
export function missingHome(
  context: DatabaseContext,
  { tenant, schema, tier, epoch }: CatalogHome,
  home: LocalHome | undefined,
): DoctorFinding {
  const lacks = home === undefined ? 'its local placement is not there' : `schema ${schema} is not there`;
  return {
    rule: 'missing-home',
    level: 'error',
    where: `${placeName(context)}.${schema}`,
    message: `the catalog says that tenant ${tenant} lives here, and ${lacks}`,
    hint: `\`tenantctl show ${tenant}\` says where it has lived. Bring the database back from a backup, or the tenant from an export: \`tenantctl restore <folder> --as <new id>\`.`,
    facts: { tenant, database: context.session.database, schema, tier, epoch },
  };
}

/** A home that nobody can work in: the role that its route names is gone. */
export function missingRole(
  context: DatabaseContext,
  { tenant, schema, role, tier, epoch }: LocalHome,
): DoctorFinding {
  return {
    rule: 'missing-home',
    level: 'error',
    where: `${placeName(context)}.${schema}`,
    message: `tenant ${tenant} lives here as role ${role}, and there is no such role: every request of the tenant fails`,
    hint: `A role that was renamed keeps its rights: see who has them (\\dn+ ${schema} in psql), and give it its name back: alter role … rename to ${ident(role).text()};`,
    facts: { tenant, database: context.session.database, schema, role, tier, epoch },
  };
}

/** Databases in which the catalog places tenants, and that are gone. */
export async function missingDatabases(context: ClusterContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, databases } = context;
  const gone = await fleet.catalog((catalog) =>
    catalog.rows<{ database: string; tenants: string[] }>(sql`
      select p.database, array_agg(t.id order by t.id) as tenants
        from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
       where p.until is null and p.cluster = ${cluster} and t.status not in ('deleted', 'provisioning', 'moving')
         and not p.database = any (${databases}::text[])
         and not exists (select from tenantctl_catalog.offboardings o where o.tenant = t.id and o.begun_at is not null and o.finished_at is null)
         and not exists (select from tenantctl_catalog.moves m where m.tenant = t.id and m.finished_at is null and (m.state <> 'grace' or m.undo_state is not null))
       group by 1 order by 1`),
  );
  return gone.map(({ database, tenants }) => ({
    rule: 'missing-database',
    level: 'error',
    where: `${cluster}/${database}`,
    message: `the catalog places ${tenants.length === 1 ? `tenant ${tenants[0]}` : `${tenants.length} tenants`} in database ${database}, and there is none of that name`,
    hint: 'Bring it back from a backup, under its name, and run `tenantctl doctor` again.',
    facts: {
      ...(tenants.length === 1 ? { tenant: tenants[0] } : {}),
      cluster,
      database,
      tenants: tenants.slice(0, 20),
    },
  }));
}
