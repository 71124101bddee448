import { expect, it } from 'vitest';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';

const server = useServer();

it('a foreign table in the schema or the database of a tenant is found, and mended by its statement', async () => {
  const { fleet, another, settings } = await newFleet(server.current, {
    tenancy: { names: { schema: 't_{id}', database: 'd_{id}' } },
  });
  await provisionTenant(fleet, { id: 'acme', tier: 'schema', cluster: 'main' });
  await provisionTenant(fleet, { id: 'corp', tier: 'database', cluster: 'main' });
  const databases = [settings.clusters['main']?.schemaDatabase ?? '', 'd_corp'];
  const run = (database: string, sql: string) => query(server.current.superuserUrl(database), sql);
  for (const [n, database] of databases.entries()) {
    const [home = {}] = await query<{ schema?: string; role?: string }>(
      server.current.superuserUrl(database),
      `select schema, role from tenantctl.placement`,
    );
    await run(
      database,
      `create foreign data wrapper elsewhere; create server elsewhere foreign data wrapper elsewhere;
       create foreign table ${home.schema}.far (${n === 0 ? 'tenant_id uuid, ' : ''}id bigint) server elsewhere;
       grant select (id), insert on ${home.schema}.far to ${home.role}`,
    );
  }
  const found = (await checkIsolation(fleet)).findings.filter(({ rule }) => rule === 'foreign-table');
  expect(found).toMatchObject([
    { level: 'error', message: expect.stringContaining('in the home of tenant acme') },
    { level: 'warning', message: expect.stringContaining('in the home of tenant corp') },
  ]);
  for (const [n, { facts }] of found.entries()) await run(databases[n] ?? '', facts.sql?.join(';') ?? '');
  const left = (await checkIsolation(another())).findings.filter(({ rule }) => rule === 'foreign-table');
  expect(left).toEqual([]);
});
