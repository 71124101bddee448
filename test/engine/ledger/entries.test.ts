import { expect, test } from 'vitest';
import { readLedger, readLedgers } from '../../../src/engine/ledger/entries.js';
import type { MigrationUnit } from '../../../src/core/unit.js';
import { sql } from '../../../src/pg/sql.js';
import { newFleet } from '../../support/fleet.js';
import { useServer } from '../../support/server.js';

const server = useServer();

test('of many units each gets its own ledger, and those with the same history share one list', async () => {
  const { fleet } = await newFleet(server.current);
  const names = Array.from({ length: 40 }, (_, index) => index);
  await fleet.catalog(async (connection) => {
    // Two files in one order, in the other, and half-way: sums over their columns would be the same.
    await connection.execute(sql`
      insert into tenantctl.ledger (unit, id, name, checksum, state, steps_done, tool)
      select kind || n, id, case when kind = 'b:' then 3 - id else id end || '_' || n, md5(n::text || id),
          case when kind = 'c:' and id = 2 then 'started' else 'applied' end, case when kind = 'c:' then id else 0 end, 't'
        from unnest(${names}::int[]) n cross join (values (1), (2)) file (id)
        cross join (values ('a:'), ('same:'), ('b:'), ('c:')) unit (kind)`);
    const ledgers = await readLedgers(connection);
    for (const name of names) {
      for (const kind of ['a:', 'b:', 'c:']) {
        const own = await readLedger(connection, { ledgerKey: `${kind}${name}` } as MigrationUnit);
        expect(own).toMatchObject(ledgers.get(`${kind}${name}`) ?? []);
        expect(ledgers.get(`${kind}${name}`)).toHaveLength(own.length);
      }
      expect(ledgers.get(`same:${name}`)).toBe(ledgers.get(`a:${name}`));
    }
  });
});
