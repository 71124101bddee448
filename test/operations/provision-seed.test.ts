import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { requireTenant } from '../../src/engine/catalog/tenants.js';
import { openHome } from '../../src/engine/tiers/session.js';
import type { Fleet } from '../../src/engine/context.js';
import { homeOf } from '../../src/operations/home.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { sql } from '../../src/pg/sql.js';
import { newFleet } from '../support/fleet.js';
import { useServer } from '../support/server.js';
import { PLANS, everything, fileWith, statuses } from './provision-support.js';

const server = useServer();

async function usersOf(fleet: Fleet, id: string) {
  const home = homeOf(fleet, await fleet.catalog((connection) => requireTenant(connection, id)));
  return openHome(fleet, home, (session) =>
    session.rows(sql`select email, full_name from app_user order by email`),
  );
}

const insert = (email: string, name: string) =>
  `insert into app_user (email, full_name, role) values (${email}, ${name}, 'owner');`;

describe('a seed that fails', () => {
  it.each(PLANS)(
    'leaves nothing of itself and no active tenant; mended, the same call ends, in tier %s',
    async (_, plan) => {
      const seed = fileWith('seed.sql', `-- añ\n${insert(`'a@b.c'`, `'A'`)}\n  select 1 from nowhere;\n`);
      const { fleet, another } = await newFleet(server.current, { seed });
      await expect(provisionTenant(fleet, { id: 'acme', plan })).rejects.toMatchObject({
        code: 'SEED_FAILED',
        exit: 7,
        message: expect.stringMatching(
          /Tenant acme: seed\.sql:3:17: relation "nowhere" does not exist \(SQLSTATE 42P01\)\n.*select 1 from nowhere;\n\s+\^/,
        ) as string,
        facts: { tenant: 'acme', file: seed, line: 3, sqlstate: '42P01' },
      });
      expect(await statuses(fleet)).toEqual({ acme: 'provisioning' });
      writeFileSync(seed, insert(`'a@b.c'`, `'A'`));
      const mended = another();
      expect(await provisionTenant(mended, { id: 'acme', plan })).toMatchObject({ created: true });
      expect(await usersOf(mended, 'acme')).toEqual([{ email: 'a@b.c', full_name: 'A' }]);
    },
  );

  it('at run time names the file when the server names no place', async () => {
    const seed = fileWith('seed.sql', `select 1;\n${insert('null', `'A'`)}\n`);
    const { fleet } = await newFleet(server.current, { seed });
    await expect(provisionTenant(fleet, { id: 'acme', plan: 'pro' })).rejects.toMatchObject({
      code: 'SEED_FAILED',
      message: expect.stringMatching(/seed\.sql: null value in column "email".*SQLSTATE 23502/) as string,
    });
  });

  it.each([
    ['cannot be read', null, 'SEED_UNREADABLE'],
    ['uses an unknown variable', 'select :tenant_name', 'VARIABLE_UNKNOWN'],
    ['ends the transaction itself', 'select 1; commit;', undefined],
    ['is no SQL', 'selekt 1', undefined],
  ])('before it starts, because it %s, is refused and nothing is written', async (_, text, code) => {
    const seed = fileWith('seed.sql', text ?? '');
    if (text === null) rmSync(seed);
    const { fleet, settings } = await newFleet(server.current, { seed });
    const before = await everything(server.current, settings);
    const refused = provisionTenant(fleet, { id: 'acme', plan: 'pro' });
    await expect(refused).rejects.toMatchObject({
      exit: 3,
      message: expect.stringContaining('seed.sql') as string,
      ...(code === undefined ? {} : { code }),
    });
    expect(await everything(server.current, settings)).toEqual(before);
  });

  it('of the call itself, before it starts, is refused and nothing is written', async () => {
    const { fleet, settings } = await newFleet(server.current);
    const before = await everything(server.current, settings);
    const refused = provisionTenant(fleet, { id: 'acme', plan: 'pro', seed: fileWith('mine.sql', 'selekt') });
    await expect(refused).rejects.toMatchObject({ exit: 3 });
    expect(await everything(server.current, settings)).toEqual(before);
  });

  it('cannot reach beyond its tenant', async () => {
    const { fleet } = await newFleet(server.current, { seed: fileWith('seed.sql', 'drop table app_user') });
    for (const [, plan] of PLANS) {
      await expect(provisionTenant(fleet, { id: `t-${plan}`, plan })).rejects.toMatchObject({
        code: 'SEED_FAILED',
        facts: { sqlstate: '42501' },
      });
    }
  });
});

describe('the variables of a seed', () => {
  const OWNERS = [
    `o'neil@x.example`,
    `back\\slash\\'@x.example`,
    `$$; drop table app_user; --@x.example`,
    `$tag$ :tenant_id ::text /* -- */ "q"@x.example`,
    `'); delete from app_user; --@`,
    '$& $1 $` \n\t ünïcødé 🦄@',
  ];

  it.each(PLANS)('arrive letter by letter in tier %s', async (_, plan) => {
    const seed = fileWith(
      'seed.sql',
      `insert into app_user (email, full_name, role) -- :nobody knows this one
       select :owner_email, ':owner_email' || ":tenant_slug" || $$:tenant_id$$, 'owner' /* nor :that */
         from (select :tenant_slug::text as ":tenant_slug") named`,
    );
    const { fleet } = await newFleet(server.current, { seed });
    for (const [at, owner] of OWNERS.entries()) {
      const id = `t${at}`;
      await provisionTenant(fleet, { id, plan, owner });
      expect(await usersOf(fleet, id)).toEqual([{ email: owner, full_name: `:owner_email${id}:tenant_id` }]);
    }
  });

  it('are NULL where there is no owner', async () => {
    const seed = fileWith('seed.sql', insert(`coalesce(:owner_email, 'nobody@x.example')`, ':tenant_id'));
    const { fleet } = await newFleet(server.current, { seed });
    const { tenant } = await provisionTenant(fleet, { id: 'acme', plan: 'free' });
    expect(await usersOf(fleet, 'acme')).toEqual([{ email: 'nobody@x.example', full_name: tenant.key }]);
  });
});
