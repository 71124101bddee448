import { createHash } from 'node:crypto';
import type { KeptItem, UninstallItem } from '../../core/uninstall.js';
import type { Fleet } from '../../engine/context.js';
import { dropDatabase } from '../../engine/tiers/template.js';
import type { Connection } from '../../pg/connection.js';
import { tryWithLock } from '../../pg/locks.js';
import { ident, raw, sql } from '../../pg/sql.js';
import type { Part } from './part.js';

/** A tenant, by what the mark of its role says. */
interface Marked {
  id: string;
  key: string;
  /** Databases of its own, now or before. */
  databases: string[];
}

interface Role {
  name: string;
  /** Has it rights anywhere, or owns it anything? */
  used: boolean;
}

/** What of ours belongs to a whole cluster. */
interface ClusterTraces {
  /** Templates of this fleet, and databases that never got as far as being a home. */
  databases: string[];
  marked: Role[];
  rescan: Role | null;
}

const HALF_MADE = 'tenantctl_making_';

/** The fleet's own mark, and the tenants whose roles bear one. */
export async function marksOf(
  catalog: Connection,
  fleetId: string,
): Promise<{ template: string; tenants: Marked[] }> {
  const tenants = await catalog.rows<Marked>(
    raw(`
    select t.id, t.key, array(select distinct p.database from tenantctl_catalog.placements p
             where p.tenant = t.id and p.tier = 'database') as databases
      from tenantctl_catalog.tenants t order by t.id`),
  );
  return { template: `tenantctl: template of fleet ${fleetId}`, tenants };
}

type Marks = Awaited<ReturnType<typeof marksOf>>;

/** What would go from a cluster beside what is in its databases, and what would stay. */
export function lookOn(fleet: Fleet, cluster: string, marks: Marks): Promise<Part> {
  return onCluster(fleet, cluster, async (session) => {
    const traces = await readCluster(session, marks);
    return { removed: removedOf(cluster, traces), kept: keptOf(fleet, cluster, traces), blockers: [] };
  });
}

/** Removes it: databases first, then the marks of roles. Again: no change. */
export async function clearCluster(fleet: Fleet, cluster: string, marks: Marks): Promise<void> {
  const { databases } = await onCluster(fleet, cluster, (session) => readCluster(session, marks));
  for (const database of databases) {
    await fleet.connections(cluster).leave(database);
    await onCluster(fleet, cluster, (session) => dropIdle(session, database));
  }
  await onCluster(fleet, cluster, async (session) => {
    const { marked, rescan } = await readCluster(session, marks);
    for (const { name, used } of marked)
      await session.execute(
        used ? sql`comment on role ${ident(name)} is null` : sql`drop role ${ident(name)}`,
      );
    if (rescan !== null && !rescan.used) await session.execute(sql`drop role ${ident(rescan.name)}`);
  });
}

function onCluster<T>(fleet: Fleet, cluster: string, work: (session: Connection) => Promise<T>): Promise<T> {
  const connections = fleet.connections(cluster);
  return connections.use(connections.maintenanceDatabase, work);
}

/** One that another fleet is filling now is left to it. */
async function dropIdle(session: Connection, database: string): Promise<void> {
  if (!database.startsWith(HALF_MADE)) return dropDatabase(session, database);
  await tryWithLock(session, 'cluster', database, () => dropDatabase(session, database));
}

async function readCluster(session: Connection, { template, tenants }: Marks): Promise<ClusterTraces> {
  const passing = tenants.flatMap(({ databases }) => databases.map(passingName));
  const databases = await session.rows<{ name: string }>(sql`
    select datname::text as name from pg_database
     where (datname like 'tenantctl\\_template\\_%' and shobj_description(oid, 'pg_database') = ${template})
        or datname ~ '^tenantctl_making_[0-9a-f]{16}$' or datname = any (${passing}::text[]) order by 1`);
  const marks = tenants.map(({ id, key }) => `tenantctl: tenant ${id} ${digest(key)}`);
  const roles = await session.rows<Role & { rescan: boolean }>(sql`
    select r.rolname::text as name, r.rolname = 'tenantctl_rescan' as rescan,
           exists (select from pg_shdepend d where d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid) as used
      from pg_roles r
     where r.rolname = 'tenantctl_rescan' or shobj_description(r.oid, 'pg_authid') = any (${marks}::text[]) order by 1`);
  return {
    databases: databases.map(({ name }) => name),
    marked: roles.filter(({ rescan }) => !rescan),
    rescan: roles.find(({ rescan }) => rescan) ?? null,
  };
}

/** As the makers of homes and roles write them: src/engine/tiers. */
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
const passingName = (database: string): string => `tenantctl_new_${digest(database)}`;

function removedOf(where: string, { databases, marked, rescan }: ClusterTraces): UninstallItem[] {
  return [
    ...databases.map((name) => ({ kind: 'template database', name, where })),
    ...marked.map(({ name, used }) =>
      used ? { kind: 'comment', name: `on role ${name}`, where } : { kind: 'role', name, where },
    ),
    // What it holds now is taken from it before.
    ...(rescan === null ? [] : [{ kind: 'role', name: rescan.name, where }]),
  ];
}

function keptOf(fleet: Fleet, where: string, { marked }: ClusterTraces): KeptItem[] {
  const { appRole } = fleet.settings.tenancy;
  return [
    ...marked
      .filter(({ used }) => used)
      .map(({ name }) => ({
        kind: 'role',
        name,
        where,
        reason: 'it holds the rights by which the application works',
      })),
    { kind: 'role', name: appRole, where, reason: 'applications act as it' },
  ];
}
