import type pg from 'pg';
import type { TenancySettings } from '../../../src/core/settings.js';
import type { LocalServer } from '../../../src/embedded/server.js';
import type { Migration } from '../../../src/engine/ledger/migration.js';
import type { Home } from '../../../src/engine/local/placements.js';
import { newFleet } from '../../support/fleet.js';
import { withClient } from '../../support/server.js';
import { homeFor, migrateUnit, migrationsOf, newApplication, opened } from './support.js';

export const NOTE = `create table note (tenant_id uuid not null, id int not null, body text, primary key (tenant_id, id))`;

/** A pool with two tenants, `acme` and `bolt`, each with one note when the first migration makes them. */
export async function smallPool(server: LocalServer, first: string, tenancy: Partial<TenancySettings> = {}) {
  const { fleet, settings } = await newFleet(server, { tenancy });
  const migrations = await migrationsOf(first);
  const acme = await opened(fleet, homeFor(settings, 'pool', 'acme'), migrations);
  const bolt = await opened(fleet, homeFor(settings, 'pool', 'bolt'), migrations);
  const application = await newApplication(settings);
  const url = server.superuserUrl(acme.placement.database);
  const later = async (...texts: string[]): Promise<Migration[]> => migrationsOf(first, ...texts);
  return {
    acme,
    bolt,
    settings,
    application,
    /** What a superuser, whom no policy binds, finds. */
    truth: <Row extends pg.QueryResultRow>(text: string) =>
      withClient(url, async (client) => {
        await client.query('set search_path = app');
        return (await client.query<Row>(text)).rows;
      }),
    migrate: async (...texts: string[]) => migrateUnit(fleet, acme, await later(...texts)),
  };
}

export type SmallPool = Awaited<ReturnType<typeof smallPool>>;

/** One note for each of the two tenants. */
export async function fillPool({ acme, bolt, application }: SmallPool): Promise<void> {
  for (const home of [acme, bolt])
    await application.asTenant(home, (client) =>
      client.query(`insert into note (id, body) values (1, '${home.tenant.id}')`),
    );
}

/** What a tenant's application reads. */
export const notesSeen = (given: SmallPool, home: Home, from = 'note'): Promise<string[]> =>
  given.application.asTenant(home, async (client) => {
    const { rows } = await client.query<{ body: string }>(`select body from ${from} order by body`);
    return rows.map(({ body }) => body);
  });
