import { describe, expect, test } from 'vitest';
import { sumTables } from '../../../src/engine/rows/sums.js';
import type { Home } from '../../../src/engine/local/placements.js';
import { readTables } from '../../../src/engine/rows/tables.js';
import { MERGE } from '../../../src/engine/moves/merge/program.js';
import { literal, sql } from '../../../src/pg/sql.js';
import { useServer } from '../../support/server.js';
import { type Mover, type PoolMove, emptying, poolMove } from './pool-move.js';

const server = useServer();

/** A pool that has taken the tenant in. */
async function copied<T>(work: (given: PoolMove, mover: Mover) => Promise<T>): Promise<T> {
  const given = await poolMove(server.current);
  return given.moving(async (mover) => {
    await mover.receiver.makeReady(mover.session);
    await mover.copy();
    return work(given, mover);
  });
}

async function expectSame(given: PoolMove, mover: Mover): Promise<void> {
  expect(await mover.sums(given.target)).toEqual(await mover.sums(given.source));
}

/** Rows of the pool's tables that this transaction has looked at. */
async function rowsRead({ session }: Mover): Promise<number> {
  const [result] = await session.message(
    `select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as n from pg_stat_xact_user_tables where schemaname = 'app'`,
  );
  return result?.rows[0]?.['n'] as number;
}

/** What a neighbour's rows come to. */
async function sumsOf(given: PoolMove, mover: Mover, home: Home) {
  const side = { ...given.target, home };
  return sumTables(mover.session, side, await readTables(mover.session, side, 'tenant_id', true));
}

describe('the first copy', () => {
  test('gives the pool every row, bit by bit', async () => {
    await copied(async (given, mover) => {
      const rows = (await mover.sums(given.target)).map(({ rows }) => rows);
      expect(Math.min(...rows)).toBeGreaterThan(0);
      await expectSame(given, mover);
    });
  });

  test('leaves the staging tables empty', async () => {
    await copied(async (_given, { session, stages }) => {
      for (const { staged } of stages)
        expect(await session.message(`select from ${staged.text()}`)).toMatchObject([{ rowCount: 0 }]);
    });
  });

  test('begins again with nothing of the tenant and all of the others', async () => {
    await copied(async (given, mover) => {
      const before = await sumsOf(given, mover, given.still);
      await mover.receiver.empty(mover.session);
      expect((await mover.sums(given.target)).map(({ rows }) => rows)).toEqual(mover.stages.map(() => 0));
      await mover.copy();
      await expectSame(given, mover);
      expect(await sumsOf(given, mover, given.still)).toEqual(before);
    });
  });
});

describe('a rehearsal', () => {
  test('writes nothing, and leaves the first cycle nothing to be made', async () => {
    const given = await poolMove(server.current);
    await given.moving(async (mover) => {
      const merge = () =>
        mover.session.row(sql`select to_regprocedure(${`${MERGE}(int[],int[])`}) is not null as made`);
      await mover.receiver.makeReady(mover.session);
      const before = await sumsOf(given, mover, given.still);
      expect(await merge()).toEqual({ made: false });
      await mover.receiver.rehearse(mover.session);
      expect(await merge()).toEqual({ made: true });
      expect((await mover.sums(given.target)).map(({ rows }) => rows)).toEqual(mover.stages.map(() => 0));
      expect(await sumsOf(given, mover, given.still)).toEqual(before);
      await mover.copy();
      await mover.change({ kind: 'slots exchanged', a: 1, b: 2 }, { kind: 'note gone', a: 1, b: 1 });
      await mover.cycle();
      await expectSame(given, mover);
    });
  });
});

describe('a cycle', () => {
  test.each([
    ['planned for what is there', false],
    ['planned in a rehearsal, before the rows came', true],
  ])('reads the rows that it is about, however many others the tenant has: %s', async (_, rehearsed) => {
    const given = await poolMove(server.current);
    await given.truth('analyze');
    await given.moving(async (mover) => {
      if (rehearsed) await mover.receiver.rehearse(mover.session);
      const many = `insert into invoice (tenant_id, id, customer_id, number) select $t, n, 1, 'many ' || n from generate_series(100, 8100) n`;
      expect(await mover.attempt(many)).toEqual([true]);
      await mover.receiver.makeReady(mover.session);
      await mover.copy();
      const one = `insert into invoice (tenant_id, id, customer_id, number) select $t, n, 1, 'few ' || n from generate_series(10001, 10010) n`;
      expect(await mover.attempt(one)).toEqual([true]);
      await mover.session.transaction(async () => {
        const touched = await mover.stage();
        const before = await rowsRead(mover);
        await mover.receiver.apply(mover.session, touched);
        expect((await rowsRead(mover)) - before).toBeLessThan(500);
      });
      await expectSame(given, mover);
    });
  });

  test('leaves neighbours alone, while one of them writes and its triggers fire', async () => {
    await copied(async (given, mover) => {
      const before = await sumsOf(given, mover, given.still);
      const audited = () =>
        given.truth(
          `select from audit where tenant_id = ${literal(given.busy.tenant.key)} and op like '%INSERT'`,
        );
      const auditedBefore = (await audited()).length;
      for (let n = 1; n <= 5; n += 1) {
        await mover.session.transaction(async () => {
          await mover.change(
            { kind: 'addresses exchanged', a: n, b: n + 1 },
            { kind: 'slots exchanged', a: n, b: n + 1 },
          );
          await mover.receiver.apply(mover.session, await mover.stage());
          await given.application.asTenant(given.busy, (client) =>
            client.query(`insert into purchase (id, customer_id, amount) values (100 + ${n}, ${n}, 5)`),
          );
          await mover.session.message(emptying(mover.stages));
        });
        await expectSame(given, mover);
      }
      expect(await audited()).toHaveLength(auditedBefore + 5);
      expect(await sumsOf(given, mover, given.still)).toEqual(before);
    });
  });

  test('changes a row where it stands and does not touch those that refer to it', async () => {
    await copied(async (given, mover) => {
      const written = () =>
        given.truth(
          `select xmin::text, ctid::text, id from purchase where tenant_id = ${literal(given.target.home.tenant.key)} order by id`,
        );
      const before = await written();
      await mover.change({ kind: 'new values', a: 1, b: 2 }, { kind: 'new address', a: 2, b: 8 });
      await mover.cycle();
      await expectSame(given, mover);
      expect(await written()).toEqual(before);
    });
  });

  test('can be repeated with the same keys, as after a crash between two commits', async () => {
    await copied(async (given, mover) => {
      await mover.change(
        { kind: 'customer replaced', a: 1, b: 2 },
        { kind: 'slots exchanged', a: 1, b: 2 },
        { kind: 'note gone', a: 1, b: 1 },
      );
      const touched = await mover.stage('true');
      for (let n = 0; n < 2; n += 1) {
        await mover.session.transaction(() => mover.receiver.apply(mover.session, touched));
        await expectSame(given, mover);
      }
    });
  });

  test('can be repeated after it was rolled back, in the same session', async () => {
    await copied(async (given, mover) => {
      await mover.change({ kind: 'addresses exchanged', a: 1, b: 2 });
      await mover.session.message('begin');
      await mover.receiver.apply(mover.session, await mover.stage());
      await mover.session.rollback();
      await mover.cycle();
      await expectSame(given, mover);
    });
  });

  test('does not remove a row that went to another tenant at the source', async () => {
    await copied(async (given, mover) => {
      const before = await sumsOf(given, mover, given.busy);
      const stage = mover.stages.find(({ target }) => target.name === 'purchase');
      if (stage === undefined) throw new Error('the zoo has purchases');
      await mover.session.transaction(async () => {
        await mover.session.message(
          `insert into ${stage.staged.text()} (tenant_id, id, tenantctl_present) values (${literal(given.busy.tenant.key)}, 1, false)`,
        );
        await mover.receiver.apply(mover.session, [stage]);
      });
      expect(await sumsOf(given, mover, given.busy)).toEqual(before);
    });
  });
});

describe('unique values that change hands', () => {
  const cases: [name: string, prepare: string[], change: string][] = [
    [
      'NULL, where it is a value like any other',
      [`update seat set label = null`],
      `update seat set block = 'x' where id = 3; update seat set place = null where id = 1;
       update seat set block = null, place = 1 where id = 3`,
    ],
    [
      'letters that are the same to the index only',
      [],
      `update seat set label = 'x' where id = 1; update seat set label = 'SEAT 1' where id = 2; update seat set label = 'sEAt 2' where id = 1`,
    ],
    [
      'a name that is generated',
      [],
      `update customer set name = 'x' where id = 1; update customer set name = 'NAME 1' where id = 2; update customer set name = 'name 2' where id = 1`,
    ],
    [
      'where a child cannot let go, because an index looks at that column',
      [
        `insert into folder values ($t, 10, null, 'root'), ($t, 11, null, 'other'), ($t, 12, 10, 'same'), ($t, 13, 11, 'same'), ($t, 14, null, 'same')`,
      ],
      `update folder set name = 'x' where id = 10; update folder set name = 'root' where id = 11; update folder set name = 'other' where id = 10`,
    ],
    [
      'of rows that refer to each other in a circle that is not deferrable',
      [],
      `update employee set slot = 'x' where id = 1; update employee set slot = 's1' where id = 2; update employee set slot = 's2', team_id = 2 where id = 1;
       update team set lead_id = 1`,
    ],
    [
      'from a row that is gone to a new one that takes over its children',
      [],
      `update customer set email = 'x' where id = 2; insert into customer (tenant_id, id, email) values ($t, 9, 'c2@example.com');
       update purchase set customer_id = 9 where customer_id = 2; update invoice set customer_id = 9 where customer_id = 2; delete from customer where id = 2`,
    ],
    [
      'a number that only the server may give',
      [],
      `delete from item where id = 1; insert into item (tenant_id, id, purchase_id, line) overriding system value values ($t, 77, 2, 1)`,
    ],
  ];

  test.each(cases)('%s', async (_name, prepare, change) => {
    await copied(async (given, mover) => {
      expect(await mover.attempt(...prepare)).not.toContain(false);
      await mover.cycle();
      await expectSame(given, mover);
      expect(await mover.attempt(change)).toEqual([true]);
      await mover.cycle();
      await expectSame(given, mover);
    });
  });
});
