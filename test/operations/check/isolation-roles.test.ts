import { expect, it } from 'vitest';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { useServer } from '../../support/server.js';
import { fleetWith } from './probing.js';

const server = useServer();

const NOTE = `create table note (tenant_id uuid not null, id bigint not null, body text, primary key (tenant_id, id));
  create table memo (tenant_id uuid not null, id bigint not null, primary key (tenant_id, id));`;

/** Assumable by the administrator, as a login is which it has made or was granted. */
const LOGIN = (name: string, options = '') =>
  `create role ${name} login ${options} in role app_user; grant ${name} to current_admin;`;

async function poolWith(sql: string) {
  const fleet = await fleetWith(server.current, NOTE);
  const admin = await adminOf(fleet);
  await fleet.force(sql.replaceAll('current_admin', admin));
  return fleet;
}

async function adminOf(fleet: Awaited<ReturnType<typeof fleetWith>>): Promise<string> {
  const row = await fleet.fleet
    .connections('main')
    .use(fleet.database, (session) => Promise.resolve(session.user));
  return `"${row}"`;
}

it('a login with a policy of its own is probed as itself, and what it crosses is found', async () => {
  const fleet = await poolWith(
    `${LOGIN('reporting')} create policy all_notes on note for select to reporting using (true);`,
  );
  const { findings, coverage } = await fleet.probe();
  expect(findings).toMatchObject([
    {
      rule: 'foreign-rows-read',
      facts: { role: 'reporting', commands: expect.arrayContaining(['SELECT', 'COPY']) },
    },
  ]);
  expect(findings[0]?.message).toMatch(/^As role reporting: /);
  expect(coverage).toMatchObject({ roles: 2, tables: 2, notProbed: [] });
  await fleet.force(findings[0]?.facts.sql?.join(';') ?? '');
  expect((await fleet.probe()).findings).toEqual([]);
});

it('a role is told apart by its name where policies ask for it', async () => {
  const fleet = await poolWith(
    `${LOGIN('web')} ${LOGIN('worker')}
     create policy work on note for select using (current_user = 'worker');`,
  );
  const { findings, coverage } = await fleet.probe();
  expect(findings).toMatchObject([{ rule: 'foreign-rows-read', facts: { role: 'worker' } }]);
  expect(coverage.roles).toBe(3);
});

it('logins that are alike are probed once, and those that only inherit not again', async () => {
  const own = 'grant select on memo to nights, days; grant usage on schema app to nights, days;';
  const fleet =
    await poolWith(`${LOGIN('web_1')} ${LOGIN('web_2')} create role readers; grant select on memo to readers;
    create role nights login in role app_user, readers; create role days login in role app_user, readers;
    grant nights, days to current_admin;`);
  const { findings, coverage } = await fleet.probe();
  expect(findings).toEqual([]);
  expect(coverage).toMatchObject({ roles: 2, notProbed: [] });
  await fleet.force(own);
  expect((await fleet.probe()).coverage.roles).toBe(3);
});

it('a role that the administrator may not assume is named as not probed, unless it is like another', async () => {
  const fleet = await poolWith(
    `create role like_all login in role app_user; create role special login in role app_user; grant select on memo to special;`,
  );
  const { coverage } = await checkIsolation(fleet.fleet);
  expect(coverage.roles).toBe(1);
  expect(coverage.notProbed).toEqual([
    {
      where: expect.stringMatching(/\.app, role special$/),
      reason: expect.stringMatching(/may not assume it.*grant it to the administrator/),
    },
  ]);
});
