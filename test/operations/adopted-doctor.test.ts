import { expect, test } from 'vitest';
import { listUnits } from '../../src/engine/catalog/units.js';
import { readAdopted } from '../../src/engine/local/adopted.js';
import { installFleet } from '../../src/operations/install.js';
import { rebuildCatalog } from '../../src/operations/rebuild/rebuild.js';
import { query, useServer } from '../support/server.js';
import { adoptedFleet } from './adopted-fleet.js';

const server = useServer();

test('a fleet that another tool had made, and that is well, has no finding', async () => {
  const made = await adoptedFleet(server.current, { databases: ['umbrella'] });
  expect(await made.findings()).toEqual([]);
});

test('a lost catalog comes back from the homes, with whose tables they hold and which other ledger there is', async () => {
  const made = await adoptedFleet(server.current, { databases: ['umbrella'], dualWrite: true });
  const { fleet, owner } = made;
  const before = await fleet.catalog((catalog) => listUnits(catalog, []));
  const known = (schema: string) => ({
    owner,
    ledger: { tool: 'dbmate', schema, table: 'schema_migrations' },
    dualWrite: true,
    tolerated: [],
  });
  const facts = (units: typeof before) => new Map(units.map(({ id, adopted }) => [id, adopted]));
  expect(facts(before)).toEqual(
    new Map([
      ['database:umbrella', known('public')],
      ['schema:acme', known('Legacy acme')],
      ['schema:globex', known('Legacy globex')],
    ]),
  );
  const local = await fleet.managed('main', made.database, readAdopted);
  expect(local).toEqual(
    new Map([
      ['schema:Legacy acme', known('Legacy acme')],
      ['schema:Legacy globex', known('Legacy globex')],
    ]),
  );
  await fleet.close();
  await query(server.current.adminUrl('postgres'), `drop database "${fleet.catalogDatabase}" with (force)`);
  const anew = made.another();
  await installFleet(anew);
  const done = await rebuildCatalog(anew, { dryRun: false });
  expect(done.added.toSorted()).toEqual(['acme', 'globex', 'umbrella']);
  // The other fleet of this file has homes of the same kind on this server.
  expect(done.left.map(({ reason }) => reason).filter((reason) => !reason.includes('catalog_1'))).toEqual([]);
  expect(await anew.catalog((catalog) => listUnits(catalog, []))).toEqual(before);
  expect(await rebuildCatalog(anew, { dryRun: false })).toMatchObject({ added: [], known: 3 });
});
