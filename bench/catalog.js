import { listTenants } from '../dist/operations/list.js';
import { routeTenant } from '../dist/operations/route.js';
import { connect, median, milliseconds, openFleet, withServer } from './support.js';

const TENANTS = 100_000;
const LOOKS = 300;

/** Look-ups in a catalog of 100,000 tenants, each a whole operation with its query. */
export async function catalog() {
  return withServer(async (server) => {
    const fleet = await openFleet(server);
    await fill(server);
    await routeTenant(fleet, 'c-1');
    const routes = [];
    const pages = [];
    for (let look = 0; look < LOOKS; look += 1) {
      const id = `c-${1 + Math.floor(Math.random() * TENANTS)}`;
      routes.push(await milliseconds(() => routeTenant(fleet, id)));
      pages.push(await milliseconds(() => listTenants(fleet, { select: [], limit: 100, after: id })));
    }
    await fleet.close();
    return [
      {
        claim: `route look-up at ${TENANTS} tenants, ms (median)`,
        ratio: median(routes),
        atMost: 1,
        figures: { ms: median(routes) },
      },
      {
        claim: `keyset page of 100 at ${TENANTS} tenants, ms (median)`,
        ratio: median(pages),
        atMost: 2,
        figures: { ms: median(pages) },
      },
    ];
  });
}

async function fill(server) {
  const client = await connect(server.adminUrl('catalog'));
  await client.query(`
    insert into tenantctl_catalog.clusters (name) values ('main') on conflict do nothing;
    insert into tenantctl_catalog.units (id, tier, cluster, database, schema, ledger_key, version_id, version_name)
      select 'schema:c-' || i, 'schema', 'main', 'app_shared', 'tenant_c-' || i, 'schema:tenant_c-' || i, 14, '0014_x' from generate_series(1, ${TENANTS}) i;
    insert into tenantctl_catalog.tenants (id, key, labels)
      select 'c-' || i, gen_random_uuid(), jsonb_build_object('ring', case when i % 100 = 0 then 'canary' else 'rest' end) from generate_series(1, ${TENANTS}) i;
    insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, role, unit)
      select 'c-' || i, 1, 'schema', 'main', 'app_shared', 'tenant_c-' || i, 'tenant_c-' || i, 'schema:c-' || i from generate_series(1, ${TENANTS}) i;
    update tenantctl_catalog.tenants set status = 'active', activated_at = now();
    analyze`);
  await client.end();
}
