import { describe, expect, test } from 'vitest';
import { useServer } from '../../support/server.js';
import { type RestoringFleet, TIERS, restoringFleet } from './fleet.js';

const server = useServer();

function hashes(tables: readonly { table: string; rows: number; hash: string }[]) {
  return Object.fromEntries(tables.map(({ table, rows, hash }) => [table, `${rows} ${hash}`]));
}

async function written(given: RestoringFleet, id: string) {
  const { manifest } = await given.exported(id);
  return hashes(manifest.tables.filter(({ kind }) => kind === 'tenant'));
}

describe.each(TIERS)('an export of tier %s', (from) => {
  test('comes back in every tier with every value, and is served there', async () => {
    const given = await restoringFleet(server.current);
    await given.tenant('acme', from, 60);
    const { directory, manifest } = await given.exported('acme');
    for (const tier of TIERS) {
      const { tenant, rows, tables, verified } = await given.restore({ directory, id: `to-${tier}`, tier });
      expect(tenant).toMatchObject({ tier, status: 'active', version: manifest.migration });
      expect(tenant.key).not.toBe(manifest.tenant.key);
      expect({ verified, rows }).toEqual({ verified: true, rows: 60 + 60 + 60 + 3 });
      const expected = manifest.tables.filter(({ kind }) => kind === 'tenant');
      expect(hashes(tables)).toEqual(hashes(expected));
      // Exported once more, it gives the same: whatever its home and its key are.
      expect(await written(given, `to-${tier}`)).toEqual(hashes(expected));
      const writer = given.writer(`to-${tier}`, 60);
      await writer.commits(3);
      expect((await given.settle(`to-${tier}`, writer)).surprises).toEqual(new Set());
    }
  });
});
