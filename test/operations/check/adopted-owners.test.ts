import { expect, test } from 'vitest';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { useServer } from '../../support/server.js';
import { type AdoptedFleet, adoptedFleet } from '../adopted-fleet.js';

const server = useServer();

const owned = async ({ fleet }: AdoptedFleet) =>
  (await checkIsolation(fleet)).findings.filter(({ rule }) => rule === 'tenant-owns');

test('a table of the application in a home that another tool had made goes to the owner of the others, and migrations go on', async () => {
  const made = await adoptedFleet(server.current);
  await made.inside(made.database, `alter table "Legacy acme".bill owner to ${made.app}`);
  const findings = await owned(made);
  expect(findings).toMatchObject([
    {
      where: `main/${made.database}.Legacy acme, objects of ${made.app}`,
      message: expect.stringContaining('of tenants acme, globex owns "Legacy acme".bill:') as string,
      facts: {
        tenants: ['acme', 'globex'],
        sql: [`alter table "Legacy acme".bill owner to "${made.owner}"`],
      },
    },
  ]);
  await made.inside(made.database, findings[0]?.facts.sql?.join(';') ?? '');
  expect(await owned(made)).toEqual([]);
  made.add('alter table bill add column paid date;');
  expect((await made.migrate()).failures).toEqual([]);
});

test('where migrations act as the role of the application, the login is to become another one and not the owner', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'] });
  await made.inside(made.database, `alter table "Legacy acme".bill owner to ${made.app}`);
  await made.inside(made.database, `update tenantctl.adopted set owner = '${made.app}'`);
  expect(await owned(made)).toMatchObject([
    { hint: expect.stringMatching(/a role of its own that owns nothing/) as string, facts: { sql: [] } },
  ]);
});
