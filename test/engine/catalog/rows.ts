import type pg from 'pg';
import { beforeAll } from 'vitest';
import { NEXT_STATUSES, TENANT_STATUSES, type TenantStatus } from '../../../src/core/tenant.js';
import { type TestFleet, newFleet } from '../../support/fleet.js';
import { useServer } from '../../support/server.js';

/** A catalog without tenants on a server of the file's own. Call it at the top of a file. */
export function useCatalog(): { readonly url: string; readonly fleet: TestFleet } {
  const server = useServer();
  let made: TestFleet | undefined;
  beforeAll(async () => {
    made = await newFleet(server.current);
  });
  const there = (): TestFleet => {
    if (made === undefined) throw new Error('the catalog is not there before the tests begin');
    return made;
  };
  return {
    get url() {
      return there().settings.catalogUrl;
    },
    get fleet() {
      return there();
    },
  };
}

/** A catalog row of a tenant in a schema of its own, as `provisioning`, with its first placement. */
export async function insertTenant(client: pg.Client, id: string): Promise<void> {
  await client.query(`insert into tenantctl_catalog.clusters (name) values ('main') on conflict do nothing`);
  await client.query(`insert into tenantctl_catalog.tenants (id, key) values ($1, $1)`, [id]);
  await insertPlacement(client, id, 1);
}

export async function insertPlacement(client: pg.Client, id: string, epoch: number): Promise<void> {
  await client.query(
    `insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, role, unit)
     values ($1, $2::int, 'schema', 'main', 'fleet', $1 || $2::int, $1, 'schema:' || $1)`,
    [id, epoch],
  );
}

/** Takes a tenant to a status by steps that are allowed. */
export async function bring(client: pg.Client, id: string, status: TenantStatus): Promise<void> {
  for (const step of pathTo(status)) await setStatus(client, id, step);
}

export async function setStatus(client: pg.Client, id: string, status: TenantStatus): Promise<void> {
  await client.query(
    `update tenantctl_catalog.tenants set status = $2, deleted_at = case when $2 = 'deleted' then now() end where id = $1`,
    [id, status],
  );
}

/** The shortest way from `provisioning`. */
function pathTo(wanted: TenantStatus): TenantStatus[] {
  const paths = new Map<TenantStatus, TenantStatus[]>([['provisioning', []]]);
  for (const status of TENANT_STATUSES.flatMap(() => [...TENANT_STATUSES])) {
    const path = paths.get(status);
    if (path === undefined) continue;
    for (const next of NEXT_STATUSES[status]) if (!paths.has(next)) paths.set(next, [...path, next]);
  }
  const path = paths.get(wanted);
  if (path === undefined) throw new Error(`no way leads to ${wanted}`);
  return path;
}

/** The SQLSTATE that a statement ends with, or `done`; what it did is taken back. */
export async function outcomeOf(client: pg.Client, work: () => Promise<unknown>): Promise<string> {
  await client.query('savepoint attempt');
  try {
    await work();
    return 'done';
  } catch (error) {
    return String((error as { code?: unknown }).code);
  } finally {
    await client.query('rollback to savepoint attempt');
  }
}
