import { join } from 'node:path';
import type { Tier } from '../../../src/core/tier.js';
import type { Fleet } from '../../../src/engine/context.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import { type ExportRequest, type Exported, exportTenant } from '../../../src/operations/export.js';
import {
  type RestoreRequest,
  type Restored,
  restoreTenant,
} from '../../../src/operations/restore/restore.js';
import type { FleetOverrides } from '../../support/fleet.js';
import { newFolder } from '../../support/folder.js';
import { query } from '../../support/server.js';
import { type MovingFleet, movingFleet } from '../moves/fleet.js';

export interface RestoringFleet extends MovingFleet {
  /** Exports a tenant into a new folder. */
  exported(id: string, how?: Partial<ExportRequest>): Promise<Exported>;
  restore(request: RestoreRequest, fleet?: Fleet): Promise<Restored>;
  /** Everything that the tables of a pool hold of other tenants than these, as the superuser sees it. */
  othersIn(pool: { database: string; schema: string }, keys: readonly string[]): Promise<string>;
}

/** A fleet with the zoo of the moves, whose tenants are exported and restored. */
export async function restoringFleet(
  server: LocalServer,
  overrides: FleetOverrides = {},
): Promise<RestoringFleet> {
  const moving = await movingFleet(server, overrides);
  return {
    ...moving,
    async exported(id, how = {}) {
      const directory = join(newFolder(), 'export');
      return (await exportTenant(moving.fleet, { id, directory, ...how }, { dryRun: false })) as Exported;
    },
    restore: (request, fleet = moving.fleet) => restoreTenant(fleet, request),
    async othersIn({ database, schema }, keys) {
      const sums: string[] = [];
      for (const table of ['customer', 'event', 'journal', 'note', 'orders']) {
        const [row] = await query<{ sum: string }>(
          server.superuserUrl(database),
          `select count(*) || ' ' || coalesce(sum(hashtextextended(x::text, 0)::numeric), 0) as sum
             from "${schema}".${table} x where tenant_id <> all ($1::uuid[])`,
          [keys],
        );
        sums.push(`${table} ${row?.sum}`);
      }
      return sums.join('; ');
    },
  };
}

export const TIERS: readonly Tier[] = ['pool', 'schema', 'database'];
