import { describe, expect, test } from 'vitest';
import type { DatabaseError } from '../../../src/pg/errors.js';
import { query } from '../../support/server.js';
import { useCatalog } from './rows.js';

const catalog = useCatalog();
let tenants = 0;

/** A row of the local state, in the state given. */
async function placed(state: string, home: unknown = null): Promise<string> {
  tenants += 1;
  const id = `home-${tenants}`;
  await query(
    catalog.url,
    `insert into tenantctl.placement (tenant, key, unit, tier, schema, role, status, epoch, state, home)
     values ($1, $1, 'schema:' || $1, 'schema', 's', 'r', 'active', 3, $2, $3)`,
    [id, state, home === null ? null : JSON.stringify(home)],
  );
  return id;
}

const admit = (key: string, epoch: number | null = null) =>
  query<{ admit: boolean }>(catalog.url, 'select tenantctl.admit($1, $2)', [key, epoch]);

const refusal = (key: string, epoch: number | null = null): Promise<DatabaseError> =>
  admit(key, epoch).then(
    () => {
      throw new Error(`${key} was admitted`);
    },
    (error: unknown) => error as DatabaseError,
  );

describe('a home', () => {
  test.each(['active', 'moving'])(
    'that is %s admits its tenant, of the right epoch or of none',
    async (state) => {
      const id = await placed(state);
      expect(await admit(id)).toEqual([{ admit: true }]);
      expect(await admit(id, 3)).toEqual([{ admit: true }]);
    },
  );

  test('that was left answers TC001 and names the new one', async () => {
    const home = { cluster: 'main', database: 'new', epoch: 4 };
    const error = await refusal(await placed('moved', home));
    expect(error.code).toBe('TC001');
    expect(JSON.parse(error.detail as string)).toEqual(home);
    expect(error.hint).toContain('route');
  });

  test.each([
    ['suspended', 'is suspended'],
    ['making', 'is not ready'],
  ])('that is %s answers TC002', async (state, words) => {
    const id = await placed(state);
    const error = await refusal(id);
    expect(error).toMatchObject({ code: 'TC002', message: `tenant ${id} ${words}` });
    expect(JSON.parse(error.detail as string)).toEqual({ tenant: id, state, epoch: 3 });
  });

  test('of nobody answers TC002 without telling who lives there', async () => {
    await placed('active');
    const error = await refusal('somebody');
    expect(error).toMatchObject({ code: 'TC002', message: 'no tenant with this key lives here' });
    expect(error.detail).toBeUndefined();
  });

  test.each([2, 4])('of epoch 3 answers TC003 to a route of epoch %i', async (epoch) => {
    const error = await refusal(await placed('active'), epoch);
    expect(error.code).toBe('TC003');
    expect(error.message).toContain(`is at epoch 3, the caller expected ${epoch}`);
  });

  test('that was left answers that, and not the stale epoch', async () => {
    expect((await refusal(await placed('moved', {}), 2)).code).toBe('TC001');
  });

  test.each([
    ['moved without a new home', 'moved', null],
    ['active with a new home', 'active', {}],
    ['in a state that does not exist', 'asleep', null],
  ])('is never %s', async (_what, state, home) => {
    await expect(placed(state, home)).rejects.toMatchObject({ code: '23514' });
  });
});
