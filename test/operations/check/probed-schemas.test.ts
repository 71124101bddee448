import { expect, it } from 'vitest';
import { provisionTenant } from '../../../src/operations/provision.js';
import { useServer } from '../../support/server.js';
import { probedFleet } from './probing.js';

const server = useServer();

it(
  'roles of tenants reach no schema but their own, unless somebody lets them',
  { timeout: 90_000 },
  async () => {
    const fleet = await probedFleet(server.current);
    for (const id of ['north', 'south', 'west'])
      await provisionTenant(fleet.fleet, { id, tier: 'schema', cluster: 'main' });
    const sound = await fleet.probe();
    expect(sound.findings).toEqual([]);
    expect(sound.coverage.notProbed).toEqual([]);
    expect(sound.coverage.roles).toBe(4);
    const schema = fleet.settings.tenancy.names.schema.replace('{id}', 'south');
    await fleet.change(
      `grant usage on schema ${schema} to public; grant select on ${schema}.invoice to public`,
    );
    const { findings } = await fleet.probe();
    expect(findings).toMatchObject([
      {
        rule: 'tenant-schema-reached',
        level: 'error',
        where: `main/${fleet.database}.${schema}`,
        facts: { tenant: 'south', tables: ['invoice'] },
      },
    ]);
    for (const statement of findings[0]?.facts.sql ?? []) await fleet.change(statement);
    expect((await fleet.probe()).findings).toEqual([]);
    // South is not the one that stands next to west: in a small fleet every table of everybody is asked for.
    const west = fleet.settings.tenancy.names.schema.replace('{id}', 'west');
    await fleet.change(
      `grant usage on schema ${schema} to ${west}; grant select on ${schema}.invoice to ${west}`,
    );
    expect((await fleet.probe()).findings).toMatchObject([
      {
        message: `Role ${west} of tenant west reads invoice in the schema of tenant south.`,
        facts: { roles: [west], tables: ['invoice'] },
      },
    ]);
  },
);
