import { expect, it } from 'vitest';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { useServer } from '../../support/server.js';
import { type ProbedFleet, fleetWith } from './probing.js';

const server = useServer();

const NOTE = `create table note (tenant_id uuid not null, id bigint not null, body text, primary key (tenant_id, id));
  create table memo (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id));`;

/** A pool whose administrator may not act as the application any more. */
async function barredPool(before = ''): Promise<ProbedFleet> {
  const made = await fleetWith(server.current, NOTE);
  const admin = new URL(server.current.adminUrl(made.database)).username;
  await made.force(`${before} revoke app_user from "${admin}" cascade;`);
  return made;
}

it('a pool of which nothing can be tried as the application is an error, and its statement mends it', async () => {
  const fleet = await barredPool();
  const { findings, coverage } = await checkIsolation(fleet.fleet);
  const [pool] = Object.keys(fleet.settings.clusters['main']?.pools ?? {});
  expect(findings).toMatchObject([
    {
      rule: 'pool-not-probed',
      level: 'error',
      where: `main/${fleet.database}.app, role ${fleet.role}`,
      message: expect.stringContaining(`pool ${pool} could`) as string,
      facts: { pool, role: fleet.role },
    },
  ]);
  expect(coverage.probed).toBe(0);
  expect(coverage.notProbed[0]?.reason).toBe(
    `no row could be made: permission denied to set role "${fleet.role}"`,
  );
  await fleet.force(findings[0]?.facts.sql?.join(';') ?? '');
  expect((await checkIsolation(fleet.fleet)).findings).toEqual([]);
});

it('a table that has a reason of its own not to be probed makes no pool one of which nothing was', async () => {
  const fleet = await fleetWith(
    server.current,
    `${NOTE} create type never as enum (); alter table note add at never not null;
    alter table memo add at never not null;`,
  );
  const { findings, coverage } = await checkIsolation(fleet.fleet);
  expect(coverage.probed).toBe(0);
  expect(coverage.notProbed).toHaveLength(2);
  expect(findings).toEqual([]);
});

it('a pool in which there is nothing to try is none of which nothing was', async () => {
  const fleet = await barredPool('revoke all on note, memo from app_user;');
  expect((await fleet.probe()).findings).toEqual([]);
});
