import { describe, expect, it } from 'vitest';
import { TIERS, type Tier } from '../../../src/core/tier.js';
import { verifyBag } from '../../../src/engine/bag/verify.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { FEW_ROWS, ZOO } from '../../engine/moves/zoo.js';
import { query, useServer } from '../../support/server.js';
import { exportingFleet } from './fleet.js';
import { expectedSums, loadExport } from './load.js';

const server = useServer();

describe.each(TIERS)('whatever the rows of a tenant in tier %s are', (tier: Tier) => {
  it.each([
    ['csv', false],
    ['ndjson', true],
  ] as const)('%s holds every value (gzip: %s)', async (format, gzip) => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('neighbour', tier);
    await fleet.tenant('acme', tier);
    const { directory, manifest } = await fleet.export('acme', { format, gzip });
    expect((await verifyBag(directory)).differences).toEqual([]);
    const loaded = await loadExport(server.current, directory);
    expect(loaded.sums).toEqual(expectedSums(manifest));
  });
});

describe.each(TIERS)('whatever the tables of a tenant in tier %s are', (tier: Tier) => {
  it('their keys, indexes, triggers, collations and circles are made anew by the SQL of the export', async () => {
    const fleet = await exportingFleet(server.current, { migrations: directoryOf(numbered(ZOO)) });
    await fleet.tenant('acme', tier, FEW_ROWS);
    const { directory, manifest } = await fleet.export('acme');
    const { sums, url } = await loadExport(server.current, directory);
    expect(sums).toEqual(expectedSums(manifest));
    expect(manifest.circles).toEqual(
      expect.arrayContaining([
        ['employee', 'team'],
        ['pa', 'pb'],
      ]),
    );
    const [made] = await query<Record<string, number>>(
      url,
      `select (select count(*)::int from pg_constraint where connamespace = 'loaded'::regnamespace and contype = 'f' and conparentid = 0) as keys,
        (select count(*)::int from pg_trigger t join pg_class c on c.oid = t.tgrelid
          where c.relnamespace = 'loaded'::regnamespace and not t.tgisinternal and tgparentid = 0) as triggers,
        (select count(*)::int from pg_index i join pg_class c on c.oid = i.indrelid
          where c.relnamespace = 'loaded'::regnamespace and not i.indisvalid) as invalid`,
    );
    expect(made).toEqual({ keys: 15, triggers: 8, invalid: 0 });
  });
});

it.each(['csv', 'ndjson'] as const)('a table of 400 columns is no table too wide for %s', async (format) => {
  const columns = Array.from({ length: 400 }, (_, n) => `c${n} ${n % 2 === 0 ? 'int' : 'jsonb'}`).join(', ');
  const fleet = await exportingFleet(server.current, {
    migrations: directoryOf(numbered(`create table wide (tenant_id uuid not null, ${columns})`)),
  });
  await fleet.tenant(
    'acme',
    'pool',
    `insert into wide (tenant_id, c1, c2, c399) values ($t, '{"a": null}', 7, 'null')`,
  );
  const { directory, manifest } = await fleet.export('acme', { format });
  expect((await loadExport(server.current, directory)).sums).toEqual(expectedSums(manifest));
});
