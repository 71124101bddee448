import fc from 'fast-check';
import { expect, test } from 'vitest';
import { useServer } from '../../support/server.js';
import { type Mover, type PoolMove, emptying, poolMove } from './pool-move.js';
import { EVERY_KIND, anyChange } from './zoo-changes.js';

const server = useServer();

const RUNS = 120;

/** Every pair of rows, those that are there and some that are not. */
const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8];
const PAIRS = NUMBERS.flatMap((a) => NUMBERS.map((b) => ({ a, b })));

/** Some rows are staged although they did not change, as a row that changed and changed back is. */
const alsoSome = fc.constantFrom('false', `hashtext(s.tenant_id::text || s.*::text) % 3 = 0`, 'true');
const batch = fc.record({ changes: fc.array(anyChange, { minLength: 1, maxLength: 12 }), also: alsoSome });

test('whatever changes between two cycles, the pool says the same afterwards', async () => {
  const given = await poolMove(server.current);
  await given.moving(async (mover) => {
    await ready(mover);
    const batches = fc.array(batch, { minLength: 1, maxLength: 3 });
    const property = fc.asyncProperty(batches, (several) =>
      undone(mover, async () => {
        for (const { changes, also } of several) {
          await mover.change(...changes);
          await merged(given, mover, also);
        }
      }),
    );
    await fc.assert(property, { numRuns: RUNS });
  });
});

test('each kind of change by itself arrives', async () => {
  const given = await poolMove(server.current);
  await given.moving(async (mover) => {
    await ready(mover);
    for (const kind of EVERY_KIND) {
      await undone(mover, async () => {
        const happened = await mover.change(...PAIRS.map((pair) => ({ kind, ...pair })));
        expect(happened, kind).toContain(true);
        await merged(given, mover, 'false');
      });
    }
  });
});

async function ready(mover: Mover): Promise<void> {
  await mover.receiver.makeReady(mover.session);
  await mover.copy();
  await mover.cycle('true');
}

async function merged(given: PoolMove, mover: Mover, also: string): Promise<void> {
  const touched = await mover.stage(also);
  await mover.receiver.apply(mover.session, touched);
  await mover.session.message(emptying(mover.stages));
  expect(await mover.sums(given.target)).toEqual(await mover.sums(given.source));
}

/** Leaves nothing, so that every run begins with the same rows. */
async function undone(mover: Mover, work: () => Promise<void>): Promise<void> {
  await mover.session.message('begin');
  try {
    await work();
  } finally {
    await mover.session.rollback();
  }
}
