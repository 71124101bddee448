import { beforeAll, describe, expect, test } from 'vitest';
import { parseSelectors } from '../../src/core/selector.js';
import { listTenants } from '../../src/operations/list.js';
import { provision } from '../../src/operations/provision.js';
import { routeTenant } from '../../src/operations/route.js';
import { setTenant } from '../../src/operations/set.js';
import { showTenant } from '../../src/operations/show.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { bring, insertTenant, useCatalog } from '../engine/catalog/rows.js';
import { withClient } from '../support/server.js';

const catalog = useCatalog();

beforeAll(async () => {
  await withClient(catalog.url, async (client) => {
    for (const id of ['alive', 'gone', 'gone-too']) await insertTenant(client, id);
    await bring(client, 'alive', 'active');
    for (const id of ['gone', 'gone-too']) {
      await bring(client, id, 'deleted');
      await client.query('update tenantctl_catalog.placements set until = now() where tenant = $1', [id]);
    }
  });
});

const list = async (...selectors: string[]) => {
  const page = { select: parseSelectors(selectors), limit: 10, after: null };
  return (await listTenants(catalog.fleet.another(), page)).tenants.map(({ id }) => id);
};

describe('the id of a deleted tenant', () => {
  const free = { dryRun: false };
  test.each([
    ['provision', () => provision(catalog.fleet.another(), { id: 'gone', plan: 'free' }, free)],
    ['provision --dry-run', () => provision(catalog.fleet.another(), { id: 'gone' }, { dryRun: true })],
    ['show', () => showTenant(catalog.fleet.another(), 'gone')],
    ['route', () => routeTenant(catalog.fleet.another(), 'gone')],
    ['set', () => setTenant(catalog.fleet.another(), 'gone', { owner: 'x' }, free)],
    ['suspend', () => suspendTenant(catalog.fleet.another(), 'gone', free)],
  ])('is answered by %s with when it was deleted, and with its certificate', async (_verb, call) => {
    await expect(call()).rejects.toMatchObject({
      code: 'TENANT_DELETED',
      exit: 5,
      message: expect.stringMatching(
        /^Tenant gone was deleted at \d{4}-.*; its id is never used again\.$/,
      ) as string,
      hint: expect.stringContaining('tenantctl certificate gone') as string,
    });
  });
});

describe('the list of tenants', () => {
  test('leaves deleted ones out', async () => {
    expect(await list()).toEqual(['alive']);
    expect(await list('status!=suspended')).toEqual(['alive']);
    expect(await list('id=g*')).toEqual([]);
  });

  test('has them where they are asked for, at the place where they lived last', async () => {
    expect(await list('status=deleted')).toEqual(['gone', 'gone-too']);
    expect(await list('status=deleted,id=*-too')).toEqual(['gone-too']);
    expect(await list('status=*')).toEqual(['alive', 'gone', 'gone-too']);
    expect(await list('status=deleted,schema=gone1')).toEqual(['gone']);
  });

  test('is read in pages with them as well', async () => {
    const fleet = catalog.fleet.another();
    const select = parseSelectors(['status=deleted']);
    const first = await listTenants(fleet, { select, limit: 1, after: null });
    expect(first).toMatchObject({ tenants: [{ id: 'gone', status: 'deleted' }], next: 'gone' });
    expect(await listTenants(fleet, { select, limit: 1, after: first.next })).toMatchObject({
      tenants: [{ id: 'gone-too' }],
      next: null,
    });
  });
});
