import { describe, expect, test } from 'vitest';
import type { Tenant } from '../../../src/core/tenant.js';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { finishMove, goBack, goOn } from '../../../src/operations/moves/conduct.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { showTenant } from '../../../src/operations/show.js';
import { directoryOf, failureOf, numbered } from '../../engine/ledger/directory.js';
import { dyingFleet } from '../../engine/tiers/support.js';
import { type TestFleet, newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';

const server = useServer();

const GUESTS = `
  create table guest (tenant_id uuid not null, id int not null, email text, primary key (tenant_id, id));
  create unique index guest_email on guest (email);`;

const TAGS = `
  create table tag (id text primary key);
  insert into tag values ('common');
  create table doc (tenant_id uuid not null, id int not null, tag text references tag, primary key (tenant_id, id));
  create index doc_tag on doc (tenant_id, tag);`;

const made = (sql: string, shared: string[] = []): Promise<TestFleet> =>
  newFleet(server.current, { migrations: directoryOf(numbered(sql)), seed: null, tenancy: { shared } });

async function inPool({ fleet }: TestFleet, id: string): Promise<void> {
  await provisionTenant(fleet, { id, tier: 'pool', cluster: 'main' });
}

const where = async ({ fleet }: TestFleet, id: string): Promise<Tenant> =>
  (await showTenant(fleet, id)).tenant;

/** Statements in the home that a tenant has now. */
async function at(fleet: TestFleet, id: string, sql: (key: string) => string): Promise<void> {
  const { database, schema, key } = await where(fleet, id);
  await query(server.current.superuserUrl(database), `set search_path = "${schema}"; ${sql(key)}`);
}

/** What a tenant has in one column of a table. */
async function values(fleet: TestFleet, id: string, table: string, column: string): Promise<unknown[]> {
  const { database, schema, key } = await where(fleet, id);
  const rows = await query<{ value: unknown }>(
    server.current.superuserUrl(database),
    `select ${column} as value from "${schema}".${table} where tenant_id = '${key}'`,
  );
  return rows.map(({ value }) => value);
}

async function moveOf({ fleet, settings }: TestFleet, tenant: string) {
  const [row] = await query<{ id: string }>(
    settings.catalogUrl,
    'select id from tenantctl_catalog.moves where tenant = $1',
    [tenant],
  );
  return fleet.catalog((connection) => requireMove(connection, row?.id ?? ''));
}

describe('a row that the old home does not take back', () => {
  const clash = async (method: 'online' | 'atomic') => {
    const fleet = await made(GUESTS);
    await inPool(fleet, 'ann');
    await inPool(fleet, 'bob');
    await promote(fleet.fleet, { id: 'ann', to: 'schema', method }, { dryRun: false });
    await at(fleet, 'ann', (key) => `insert into guest values ('${key}', 1, 'a@x')`);
    await at(fleet, 'bob', (key) => `insert into guest values ('${key}', 1, 'a@x')`);
    const refusal = await failureOf(goBack(fleet.fleet, await moveOf(fleet, 'ann')));
    return { fleet, refusal };
  };

  test.each(['online', 'atomic'] as const)(
    'stops the undo of an %s move, is named, and leaves the tenant in its grace period',
    async (method) => {
      const { fleet, refusal } = await clash(method);
      expect(refusal).toMatchObject({ code: 'MOVE_ROW_REFUSED', exit: 5 });
      expect(refusal.message).toContain('Table guest of the old home does not take a row of tenant ann');
      expect(refusal.message).toContain('guest_email');
      expect(refusal.hint).toContain('moves complete ann');
      expect(await moveOf(fleet, 'ann')).toMatchObject({ state: 'grace', undo: null });
      await at(fleet, 'ann', () => `update guest set email = 'b@x'`);
      expect(await goBack(fleet.fleet, await moveOf(fleet, 'ann'))).toMatchObject({ state: 'undone' });
      expect(await values(fleet, 'ann', 'guest', 'email')).toEqual(['b@x']);
    },
  );

  test('leaves the move to be completed', async () => {
    const { fleet } = await clash('online');
    expect(await finishMove(fleet.fleet, await moveOf(fleet, 'ann'))).toMatchObject({ state: 'completed' });
    expect(await where(fleet, 'ann')).toMatchObject({ tier: 'schema', status: 'active' });
  });
});

describe('rows of a table that every tenant may write to', () => {
  const write = (key: string) =>
    `insert into tag values ('own'); insert into doc values ('${key}', 1, 'own')`;

  test('are not lost by an undo: it says which the old home lacks, and goes on when they are there', async () => {
    const fleet = await made(TAGS, ['tag']);
    await inPool(fleet, 'ann');
    await inPool(fleet, 'bob');
    await promote(fleet.fleet, { id: 'ann', to: 'database', method: 'online' }, { dryRun: false });
    await at(fleet, 'ann', () => `insert into tag values ('own')`);
    const refusal = await failureOf(goBack(fleet.fleet, await moveOf(fleet, 'ann')));
    expect(refusal).toMatchObject({ code: 'SHARED_ROWS_MISSING', exit: 6 });
    expect(refusal.message).toContain('(own)');
    expect(await moveOf(fleet, 'ann')).toMatchObject({ state: 'grace', undo: null });
    await at(fleet, 'bob', () => `insert into tag values ('own'), ('of bob')`);
    expect(await goBack(fleet.fleet, await moveOf(fleet, 'ann'))).toMatchObject({ state: 'undone' });
    expect(await where(fleet, 'ann')).toMatchObject({ tier: 'pool', status: 'active' });
  });

  test('that were written during a move keep the tenant where it is until the new home has them', async () => {
    const fleet = await made(TAGS, ['tag']);
    await inPool(fleet, 'ann');
    const dying = dyingFleet(fleet.fleet, 'move.copied');
    const request = { id: 'ann', to: 'schema' as const, method: 'online' as const };
    await expect(promote(dying, request, { dryRun: false })).rejects.toThrow('died at');
    await dying.close();
    await at(fleet, 'ann', write);
    const move = await moveOf(fleet, 'ann');
    const refusal = await failureOf(goOn(fleet.fleet, move));
    expect(refusal).toMatchObject({ code: 'SHARED_ROWS_MISSING', exit: 6 });
    expect(await where(fleet, 'ann')).toMatchObject({ tier: 'pool' });
    await query(
      server.current.superuserUrl(move.to.database),
      `insert into "${move.to.schema}".tag values ('own')`,
    );
    expect(await goOn(fleet.fleet, move)).toMatchObject({ state: 'grace' });
    expect(await values(fleet, 'ann', 'doc', 'tag')).toEqual(['own']);
    expect(fleet.events.filter(({ type }) => type === 'notice')).not.toContainEqual(
      expect.objectContaining({ code: 'CONSTRAINT_NOT_PROVED' }),
    );
  });
});
