import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Tenant } from '../../../src/core/tenant.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { openBag } from '../../../src/operations/restore/bag.js';
import { type Replaced, replaceTenant } from '../../../src/operations/restore/replace.js';
import { placeHold } from '../../../src/operations/retention/hold.js';
import { suspendTenant } from '../../../src/operations/suspend.js';
import { failureOf } from '../../engine/ledger/directory.js';
import { dyingFleet } from '../../engine/tiers/support.js';
import { newFolder } from '../../support/folder.js';
import { query, useServer, withClient } from '../../support/server.js';
import { MOVED_TABLES } from '../moves/zoo.js';
import { type RestoringFleet, TIERS, restoringFleet } from './fleet.js';

const server = useServer({ max_prepared_transactions: '4' });

/** What a careless script of the tenant's own does to its rows. */
async function wipe({ database, schema, key }: Tenant): Promise<void> {
  const deletes = MOVED_TABLES.toSorted()
    .toReversed()
    .map((table) => `delete from "${schema}".${table} where tenant_id = '${key}'`);
  await query(
    server.current.superuserUrl(database),
    `begin; ${deletes.join('; ')};
     insert into "${schema}".customer (tenant_id, id, email) values ('${key}', 1, 'only@example.com'); commit`,
  );
}

async function sums(given: RestoringFleet, id: string) {
  const { manifest } = await given.exported(id);
  return manifest.tables
    .filter(({ kind }) => kind === 'tenant')
    .map(({ table, rows, hash }) => `${table} ${rows} ${hash}`);
}

async function wiped(given: RestoringFleet, tier: Tenant['tier']) {
  const tenant = await given.tenant('acme', tier, 40);
  const before = await sums(given, 'acme');
  const { directory } = await given.exported('acme');
  await wipe(tenant);
  return { tenant, before, directory };
}

describe.each(TIERS)('a tenant of tier %s that has deleted its rows', (tier) => {
  test('has them again in its own home with its own key, and what it had last is exported', async () => {
    const given = await restoringFleet(server.current);
    const neighbour = await given.tenant('beside', 'pool', 30);
    const others = await given.othersIn(neighbour, [(await given.tenant('none', 'pool', 1)).key]);
    const { tenant, before, directory } = await wiped(given, tier);
    const left = await sums(given, 'acme');
    const result = await replaceTenant(given.fleet, { directory, into: 'acme' });
    expect(result).toMatchObject({ tenant, verified: true, replaced: true, backup: { rows: 1 } });
    expect(await sums(given, 'acme')).toEqual(before);
    const none = await given.show('none');
    expect(await given.othersIn(neighbour, [none.key, ...(tier === 'pool' ? [tenant.key] : [])])).toBe(
      others,
    );
    // What it had before can be brought back just so.
    const saved = (result as Replaced).backup?.directory as string;
    await replaceTenant(given.fleet, { directory: saved, into: 'acme', backup: join(newFolder(), 'b') });
    expect(await sums(given, 'acme')).toEqual(left);
    const writer = given.writer('acme', 1);
    await writer.commits(3);
    expect((await given.settle('acme', writer)).surprises).toEqual(new Set());
  });
});

test.each([
  ['restore.shut', 'pool'],
  ['restore.backed-up', 'schema'],
  ['restore.replaced', 'pool'],
  ['restore.replaced', 'schema'],
  ['restore.replaced', 'database'],
  ['restore.reopened', 'pool'],
] as const)(
  'a replacement that ends at %s has the old rows or the new ones in tier %s, and the same call ends it',
  async (point, tier) => {
    const given = await restoringFleet(server.current);
    const { before, directory } = await wiped(given, tier);
    const left = await sums(given, 'acme');
    const request = { directory, into: 'acme', backup: join(newFolder(), 'backup') };
    await expect(replaceTenant(dyingFleet(given.fleet, point), request)).rejects.toThrow(`died at ${point}`);
    const replaced = point === 'restore.replaced' || point === 'restore.reopened';
    expect(await sums(given, 'acme')).toEqual(replaced ? before : left);
    await replaceTenant(given.fleet, request);
    expect(await sums(given, 'acme')).toEqual(before);
    expect((await given.show('acme')).status).toBe('active');
  },
);

test('while rows are replaced the tenant is refused, neighbours are not, and a suspended one stays so', async () => {
  const given = await restoringFleet(server.current);
  const { tenant, before, directory } = await wiped(given, 'pool');
  await suspendTenant(given.fleet, 'acme', { dryRun: false });
  const { tenant: after } = await replaceTenant(given.fleet, { directory, into: 'acme' });
  expect(after.status).toBe('suspended');
  const [row] = await query<{ state: string }>(
    server.current.superuserUrl(tenant.database),
    `select state from tenantctl.placement where tenant = 'acme'`,
  );
  expect(row?.state).toBe('suspended');
  expect(await sums(given, 'acme')).toEqual(before);
});

test('a writer that began before the home was shut is waited for, and none of its rows is mixed in', async () => {
  const given = await restoringFleet(server.current);
  const { tenant, before, directory } = await wiped(given, 'pool');
  await withClient(given.application.url(tenant.database), async (client) => {
    await client.query('begin isolation level repeatable read');
    await client.query(`select set_config('app.tenant_id', $1, true), set_config('search_path', $2, true)`, [
      tenant.key,
      `"${tenant.schema}"`,
    ]);
    await client.query(`set local role "${given.settings.tenancy.appRole}"`);
    await client.query('select count(*) from customer');
    const replacing = replaceTenant(given.fleet, { directory, into: 'acme' });
    await suspended(tenant);
    // On its old snapshot the home is still open to it.
    await client.query(`insert into note (id, body) values (4711, 'late')`);
    await client.query('commit');
    const { backup } = await replacing;
    expect(backup?.rows).toBe(2);
  });
  expect(await sums(given, 'acme')).toEqual(before);
});

test('a second replacement does not write over the backup of the first one, and says how to name another', async () => {
  const given = await restoringFleet(server.current);
  const { tenant, directory } = await wiped(given, 'schema');
  await replaceTenant(given.fleet, { directory, into: 'acme' });
  await wipe(tenant);
  await query(server.current.superuserUrl(tenant.database), `delete from "${tenant.schema}".customer`);
  const failure = await failureOf(replaceTenant(given.fleet, { directory, into: 'acme' }));
  expect(failure).toMatchObject({ code: 'EXPORT_TARGET_EXISTS', exit: 5 });
  expect(failure.hint).toContain('--backup');
  const request = { directory, into: 'acme', backup: join(newFolder(), 'second') };
  expect(await replaceTenant(given.fleet, request)).toMatchObject({ verified: true, backup: { rows: 0 } });
});

test('a prepared transaction that still holds rows of the tenant is waited for as well', async () => {
  const given = await restoringFleet(server.current);
  const { tenant, before, directory } = await wiped(given, 'schema');
  const url = server.current.superuserUrl(tenant.database);
  await query(
    url,
    `begin; insert into "${tenant.schema}".note (tenant_id, id, body) values ('${tenant.key}', 4711, 'late');
     prepare transaction 'late'`,
  );
  const replacing = replaceTenant(given.fleet, { directory, into: 'acme' });
  await suspended(tenant);
  await query(url, `commit prepared 'late'`);
  expect((await replacing).backup?.rows).toBe(2);
  expect(await sums(given, 'acme')).toEqual(before);
});

async function suspended({ database }: Tenant): Promise<void> {
  await withClient(server.current.superuserUrl(database), async (client) => {
    for (;;) {
      const { rows } = await client.query(
        `select from tenantctl.placement where tenant = 'acme' and state = 'suspended'`,
      );
      if (rows.length > 0) return;
    }
  });
}

test('nothing of a tenant on hold is replaced, nor of one that moves; both are as they were', async () => {
  const given = await restoringFleet(server.current);
  const { before, tenant, directory } = await wiped(given, 'schema');
  const left = await sums(given, 'acme');
  await promote(given.fleet, { id: 'acme', to: 'pool', method: 'atomic', wait: false }, { dryRun: false });
  const moving = await failureOf(replaceTenant(given.fleet, { directory, into: 'acme' }));
  expect(moving).toMatchObject({ code: 'TENANT_MOVING', exit: 5 });
  const { tenant: held, directory: heldExport } = await heldTenant(given);
  const failure = await failureOf(replaceTenant(given.fleet, { directory: heldExport, into: held.id }));
  expect(failure).toMatchObject({ code: 'TENANT_ON_HOLD', exit: 5 });
  expect(existsSync(`${heldExport}-replaced-${held.id}`)).toBe(false);
  expect(await sums(given, 'acme')).toEqual(left);
  expect(before).not.toEqual(left);
  expect(tenant.status).toBe('active');
});

async function heldTenant(given: RestoringFleet) {
  const tenant = await given.tenant('held', 'pool', 5);
  const { directory } = await given.exported('held');
  await given.tenant('other', 'pool', 1);
  Object.assign(given.fleet.options, { actor: { actor: 'legal', reason: 'case 1', ticket: null } });
  await placeHold(given.fleet, 'held', { dryRun: false });
  return { tenant, directory };
}

test('when what it has cannot be exported first, nothing is replaced and it is served again', async () => {
  const given = await restoringFleet(server.current);
  const { directory } = await wiped(given, 'schema');
  const left = await sums(given, 'acme');
  const taken = newFolder();
  const failure = await failureOf(replaceTenant(given.fleet, { directory, into: 'acme', backup: taken }));
  expect(failure).toMatchObject({ exit: 5 });
  expect(await sums(given, 'acme')).toEqual(left);
  const writer = given.writer('acme', 1);
  await writer.commits(2);
  await given.settle('acme', writer);
});

test('who asked is in the audit log, before and after', async () => {
  const given = await restoringFleet(server.current);
  const { directory } = await wiped(given, 'schema');
  const { manifestSha256 } = await openBag(directory);
  await replaceTenant(given.fleet, { directory, into: 'acme' });
  const entries = await query<{ phase: string; details: Record<string, unknown> }>(
    given.settings.catalogUrl,
    `select phase, details from tenantctl_catalog.audit where action = 'tenant.restore' and tenant = 'acme' order by seq`,
  );
  expect(entries.map(({ phase }) => phase)).toEqual(['intent', 'done']);
  expect(entries[0]?.details).toMatchObject({ manifest: manifestSha256, replace: true });
});
