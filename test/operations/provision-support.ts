import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reach } from '../../src/core/faults.js';
import type { FleetSettings } from '../../src/core/settings.js';
import type { TIERS } from '../../src/core/tier.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { Fleet, type FleetOptions } from '../../src/engine/context.js';
import { listTenants } from '../../src/operations/list.js';
import { newFolder } from '../support/folder.js';
import { query } from '../support/server.js';

/** The plan of `fleetSettings` for each tier. */
export const PLANS = [
  ['pool', 'free'],
  ['schema', 'pro'],
  ['database', 'enterprise'],
] as const;

export const PLAN_OF = Object.fromEntries(PLANS) as Record<(typeof TIERS)[number], string>;

/** The number that `newFleet` has given to a fleet; names of schemas and databases carry it. */
function numberOf(settings: FleetSettings): string {
  return settings.tenancy.appRole.replace('app_user_', '');
}

/** Runs `work` with a further view of a fleet, with options of its own. */
export async function withFleet<T>(
  settings: FleetSettings,
  options: Partial<FleetOptions>,
  work: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  const fleet = new Fleet(settings, {
    emit: () => undefined,
    reach: () => undefined,
    actor: { actor: 'suite', reason: null, ticket: null },
    signal: new AbortController().signal,
    ...options,
  });
  try {
    return await work(fleet);
  } finally {
    await fleet.close();
  }
}

/** A process that dies at a step, as far as one can die within a process: nothing after it is done. */
export class Crash extends Error {}

export function crashAt(point: string): Reach {
  return (reached) => {
    if (reached === point) throw new Crash(point);
  };
}

/** Every tenant there is, by id. */
export async function statuses(fleet: Fleet): Promise<Record<string, string>> {
  const { tenants } = await listTenants(fleet, { select: [], limit: 1_000, after: null });
  return Object.fromEntries(tenants.map(({ id, status }) => [id, status]));
}

/** All that a change could touch: rows of the catalog and of the local state, databases, schemas, roles. */
export async function everything(server: LocalServer, settings: FleetSettings): Promise<unknown> {
  const count = `select table_name as name, (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I.%I',
      table_schema, table_name), false, true, '')))[1]::text as rows
    from information_schema.tables where table_schema in ('tenantctl', 'tenantctl_catalog') and table_type = 'BASE TABLE'
    order by table_schema, table_name`;
  const databases = await query<{ name: string }>(
    server.superuserUrl('postgres'),
    'select datname as name from pg_database order by 1',
  );
  const n = numberOf(settings);
  const own = databases.filter(({ name }) => name === `app_shared_${n}`);
  return {
    databases,
    roles: await query(server.superuserUrl('postgres'), 'select rolname from pg_roles order by 1'),
    catalog: await query(settings.catalogUrl, count),
    tenants: await query(settings.catalogUrl, 'select * from tenantctl_catalog.tenants order by id'),
    shared: await Promise.all(
      own.map(async ({ name }) => ({
        local: await query(server.adminUrl(name), count),
        schemas: await query(server.adminUrl(name), 'select nspname from pg_namespace order by 1'),
      })),
    ),
  };
}

/** A file with this text, in a folder of its own. */
export function fileWith(name: string, text: string): string {
  const path = join(newFolder(), name);
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}
