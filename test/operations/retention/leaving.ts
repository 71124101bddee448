import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import type { Tenant } from '../../../src/core/tenant.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import { offboardTenant } from '../../../src/operations/offboard/offboard.js';
import type { Offboarded, OffboardRequest } from '../../../src/operations/offboard/request.js';
import { runRetention } from '../../../src/operations/retention/run.js';
import type { FleetOverrides } from '../../support/fleet.js';
import { query } from '../../support/server.js';
import { type MovingFleet, movingFleet } from '../moves/fleet.js';

export interface LeavingFleet extends MovingFleet {
  /** Offboards a tenant that is due at once. */
  leave(id: string, request?: Partial<OffboardRequest>): Promise<Offboarded>;
  run: (...ids: string[]) => ReturnType<typeof runRetention>;
  /** A statement as superuser in a database of the server. */
  superuser<Row extends Record<string, unknown>>(database: string, text: string): Promise<Row[]>;
  /** One number for everything that the tables of a schema hold of the tenants but one. */
  others(tenant: Tenant): Promise<string>;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function exportFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-leaving-'));
  folders.push(folder);
  return folder;
}

/** A fleet with the zoo, whose tenants leave. */
export async function leavingFleet(
  server: LocalServer,
  overrides: FleetOverrides = {},
): Promise<LeavingFleet> {
  const made = await movingFleet(server, {
    ...overrides,
    retention: { directory: exportFolder(), ...overrides.retention },
  });
  const { fleet } = made;
  const superuser = <Row extends Record<string, unknown>>(database: string, text: string): Promise<Row[]> =>
    query<Row>(server.superuserUrl(database), text);
  return {
    ...made,
    superuser,
    leave: async (id, request = {}) =>
      (await offboardTenant(fleet, { id, retainMs: 0, ...request }, { dryRun: false })) as Offboarded,
    run: (...ids) => runRetention(fleet, { ids }),
    async others({ database, schema, key }) {
      const tables = await superuser<{ name: string }>(
        database,
        `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
          where n.nspname = '${schema}' and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
      );
      const sums = await Promise.all(
        tables.map(async ({ name }) => {
          const [row] = await superuser<{ sum: string }>(
            database,
            `select count(*) || ' ' || coalesce(sum(hashtextextended(x::text, 0)::numeric), 0) as sum from ${name} x where tenant_id <> '${key}'`,
          );
          return `${name} ${row?.sum}`;
        }),
      );
      return sums.join('\n');
    },
  };
}

export const TIERS: readonly Tier[] = ['pool', 'schema', 'database'];
