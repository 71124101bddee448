import { test } from 'vitest';
import { newFleet } from '../../support/fleet.js';
import { useServer } from '../../support/server.js';
import { homeFor, invoicing, newApplication } from './support.js';
import { driverOf } from '../../../src/engine/tiers/registry.js';
const server = useServer();
test('x', async () => {
  const b = await newFleet(server.current);
  const h = homeFor(b.settings, 'pool', 'acme');
  await driverOf('pool').create(b.fleet, h, await invoicing());
  const app = await newApplication(b.settings);
  for (const q of ['select from tenant_settings', 'select * from customer where id = 3', 'select c.* from customer c join invoice i using (tenant_id)'])
  await app.asTenant(h, async (c) => { console.log((await c.query(`explain (verbose, analyze) ${q}`)).rows.map((r) => r['QUERY PLAN']).join('\n')); }).catch(console.log);
});
