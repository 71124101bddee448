import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { NEXT_STATUSES, TENANT_STATUSES } from '../../../src/core/tenant.js';
import { withClient } from '../../support/server.js';
import { bring, insertPlacement, insertTenant, outcomeOf, setStatus, useCatalog } from './rows.js';

const catalog = useCatalog();

/** A transaction in the catalog that is taken back at the end. */
async function inCatalog(work: (client: pg.Client) => Promise<void>): Promise<void> {
  await withClient(catalog.url, async (client) => {
    await client.query('begin');
    await work(client);
    await client.query('rollback');
  });
}

describe('the status of a tenant', () => {
  test('takes the same steps in the catalog as in the program', () =>
    inCatalog(async (client) => {
      const { rows } = await client.query<{ step: string }>(
        `select from_status || ' → ' || to_status as step from tenantctl_catalog.tenant_steps`,
      );
      const steps = TENANT_STATUSES.flatMap((from) => NEXT_STATUSES[from].map((to) => `${from} → ${to}`));
      expect(rows.map(({ step }) => step).sort()).toEqual(steps.sort());
    }));

  test('is kept to these steps by the database, for every pair', () =>
    inCatalog(async (client) => {
      for (const from of TENANT_STATUSES) {
        const id = `from-${from}`;
        await insertTenant(client, id);
        await bring(client, id, from);
        for (const to of TENANT_STATUSES) {
          const allowed = from === to || NEXT_STATUSES[from].includes(to);
          const outcome = await outcomeOf(client, () => setStatus(client, id, to));
          expect([from, to, outcome]).toEqual([from, to, allowed ? 'done' : 'TC021']);
        }
      }
    }));

  test('begins as provisioning', () =>
    inCatalog(async (client) => {
      for (const status of TENANT_STATUSES.filter((one) => one !== 'provisioning')) {
        const insert = `insert into tenantctl_catalog.tenants (id, key, status, deleted_at) values ('a', 'a', $1, now())`;
        expect(await outcomeOf(client, () => client.query(insert, [status]))).toBe('TC021');
      }
    }));

  test('names tenant and states where a step is refused', () =>
    inCatalog(async (client) => {
      await insertTenant(client, 'acme');
      await expect(setStatus(client, 'acme', 'moving')).rejects.toThrow(
        'tenant acme is provisioning; it cannot become moving',
      );
    }));
});

describe('a tenant', () => {
  test('is never removed, never renamed, and keeps its key', () =>
    inCatalog(async (client) => {
      await insertTenant(client, 'acme');
      await bring(client, 'acme', 'deleted');
      for (const change of [
        'delete from tenantctl_catalog.tenants',
        'truncate tenantctl_catalog.tenants cascade',
        `update tenantctl_catalog.tenants set id = 'other'`,
        `update tenantctl_catalog.tenants set key = 'other'`,
      ])
        expect([change, await outcomeOf(client, () => client.query(change))]).toEqual([change, 'TC020']);
      const again = outcomeOf(client, () => insertTenant(client, 'acme'));
      expect(await again).toBe('23505');
    }));

  test.each(['Acme', '-a', 'a b', 'a;b', '', 'x'.repeat(49), 'ä'])('cannot have the id "%s"', (id) =>
    inCatalog(async (client) => {
      const insert = `insert into tenantctl_catalog.tenants (id, key) values ($1, 'k')`;
      expect(await outcomeOf(client, () => client.query(insert, [id]))).toBe('23514');
    }),
  );
});

describe('a placement', () => {
  const end = 'update tenantctl_catalog.placements set until = now() where until is null';

  test('is ended and followed by the next epoch, and is history then', () =>
    inCatalog(async (client) => {
      await insertTenant(client, 'acme');
      await client.query(end);
      await insertPlacement(client, 'acme', 2);
      for (const change of [
        `update tenantctl_catalog.placements set until = null where epoch = 1`,
        `update tenantctl_catalog.placements set until = now() + interval '1 day' where epoch = 1`,
        `update tenantctl_catalog.placements set database = 'other' where epoch = 2`,
        `update tenantctl_catalog.placements set epoch = 3 where epoch = 2`,
        `update tenantctl_catalog.placements set unit = 'schema:other' where epoch = 2`,
        `update tenantctl_catalog.placements set pool = 'other' where epoch = 2`,
        `delete from tenantctl_catalog.placements where epoch = 2`,
        `truncate tenantctl_catalog.placements cascade`,
      ])
        expect([change, await outcomeOf(client, () => client.query(change))]).toEqual([change, 'TC020']);
    }));

  test('comes in the order of epochs, one at a time', () =>
    inCatalog(async (client) => {
      await insertTenant(client, 'acme');
      expect(await outcomeOf(client, () => insertPlacement(client, 'acme', 2))).toBe('23505');
      await client.query(end);
      for (const epoch of [1, 3]) {
        expect(await outcomeOf(client, () => insertPlacement(client, 'acme', epoch))).toBe('TC021');
      }
      expect(await outcomeOf(client, () => insertPlacement(client, 'acme', 2))).toBe('done');
    }));

  test('of a schema or database belongs to one tenant at a time', () =>
    inCatalog(async (client) => {
      await insertTenant(client, 'acme');
      await client.query(`insert into tenantctl_catalog.tenants (id, key) values ('rival', 'rival')`);
      const same = `insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, role, unit)
        values ('rival', 1, 'schema', 'main', 'fleet', 'acme1', 'rival', 'schema:rival')`;
      expect(await outcomeOf(client, () => client.query(same))).toBe('23505');
      await client.query(end);
      expect(await outcomeOf(client, () => client.query(same))).toBe('done');
    }));
});

test('a move goes the steps that are stored, and never back from its point of no return', () =>
  inCatalog(async (client) => {
    await insertTenant(client, 'acme');
    await client.query(`insert into tenantctl_catalog.moves (id, tenant, from_epoch, from_home, to_home, method, actor)
      values ('m', 'acme', 1, '{}', '{}', 'online', 'suite')`);
    const step = (state: string) =>
      client.query(
        `update tenantctl_catalog.moves set state = $1,
           finished_at = case when $1 in ('completed', 'aborted', 'undone') then now() end`,
        [state],
      );
    expect(await outcomeOf(client, () => step('moved'))).toBe('TC021');
    for (const state of ['prepared', 'copying', 'syncing', 'verified', 'moved']) await step(state);
    expect(await outcomeOf(client, () => step('aborted'))).toBe('TC021');
    for (const state of ['flipped', 'grace']) await step(state);
    for (const state of ['completed', 'undone'])
      expect(await outcomeOf(client, () => step(state))).toBe('done');
  }));
