import { expect, test } from 'vitest';
import { ident } from '../../src/pg/sql.js';
import { promote } from '../../src/operations/moves/promote.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { routeTenant } from '../../src/operations/route.js';
import { directoryOf, numbered } from '../engine/ledger/directory.js';
import { newApplication } from '../engine/tiers/support.js';
import { newFleet } from '../support/fleet.js';
import { query, useServer } from '../support/server.js';

const server = useServer();

const FILES = [
  'create table before (tenant_id uuid not null, id int not null, primary key (tenant_id, id))',
  `alter table before rename to renamed;
   select * into selected from renamed;
   alter table selected add primary key (tenant_id, id);
   do $$ begin execute 'create table executed (tenant_id uuid not null, id int not null, primary key (tenant_id, id))'; end $$`,
];

test('the same INSERT without the tenant works in every tier, and after a move out of the pool', async () => {
  const made = await newFleet(server.current, { migrations: directoryOf(numbered(...FILES)), seed: null });
  await provisionTenant(made.fleet, { id: 'in-pool', tier: 'pool', cluster: 'main' });
  const application = await newApplication(made.settings);
  const inserted = async (id: string, n: number): Promise<void> => {
    const { settings, role, key, database, schema } = await routeTenant(made.fleet, id);
    const context = Object.entries({ ...settings, role }).map(
      ([name, value]) => `set_config('${name}', '${value.replaceAll("'", "''")}', true)`,
    );
    for (const table of ['renamed', 'selected', 'executed']) {
      const statement = `insert into ${table} (id) values (${n})`;
      await query(application.url(database), `begin; select ${context.join(', ')}; ${statement}; commit`);
      const superuser = server.current.superuserUrl(database);
      const name = ident(schema, table).text();
      const rows = await query<{ key: string }>(
        superuser,
        `select tenant_id as key from ${name} where id = ${n}`,
      );
      expect(rows).toEqual([{ key }]);
    }
  };
  await inserted('in-pool', 1);
  for (const tier of ['schema', 'database'] as const) {
    await provisionTenant(made.fleet, { id: `in-${tier}`, tier, cluster: 'main' });
    await inserted(`in-${tier}`, 1);
  }
  await promote(made.fleet, { id: 'in-pool', to: 'schema', method: 'online' }, { dryRun: false });
  await inserted('in-pool', 2);
});
