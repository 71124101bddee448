import { test } from 'vitest';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';
import { homeFor, invoicing, newApplication } from './support.js';
import { driverOf } from '../../../src/engine/tiers/registry.js';
const server = useServer();
test('x', async () => {
  const b = await newFleet(server.current);
  const h = homeFor(b.settings, 'pool', 'acme');
  await driverOf('pool').create(b.fleet, h, await invoicing());
  const app = await newApplication(b.settings);
  const S = `nullif(current_setting('app.tenant_id', true), '')::uuid`;
  const B = `tenant_id = (select case when home.state in ('active','moving') then ${S} else tenantctl.refuse(home.tenant, home.state, home.epoch, home.home)::text::uuid end from tenantctl.placement home where home.key = (${S})::text)`;
  for (const [name, cond] of [['B', B], ['C', `tenant_id = ${S} and ${B}`]]) {
  for (const t of ['tenant_settings','customer','invoice']) await query(server.current.superuserUrl(h.placement.database), `set search_path=app; alter policy tenantctl_tenant on ${t} using (${cond})`);
  for (const q of ['select from tenant_settings', 'select * from customer where id = 3', 'select c.id from customer c join invoice i using (tenant_id)', 'select from customer where name = \'x\''])
  await app.asTenant(h, async (c) => { console.log(name, q + '\n' + (await c.query(`explain ${q}`)).rows.map((r) => r['QUERY PLAN']).join('\n')); await c.query(q); console.log('NO ERROR')}).catch((e) => console.log(String(e)));
  }
});
