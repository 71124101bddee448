import { expect, test } from 'vitest';
import { EXIT, isTenantctlError } from '../../../src/core/errors.js';
import { useServer } from '../../support/server.js';
import { type Mover, type PoolMove, poolMove } from './pool-move.js';

const server = useServer();

/** What the cycle after `change` is refused with; the pool is then as it was. */
async function refused(
  given: PoolMove,
  mover: Mover,
): Promise<{ code: string; exit: number; message: string }> {
  const before = await mover.sums(given.target);
  const outcome = await mover.cycle().catch((error: unknown) => error);
  if (!isTenantctlError(outcome)) throw new Error(`expected a refusal, got ${String(outcome)}`);
  expect(await mover.sums(given.target)).toEqual(before);
  return { code: outcome.code, exit: outcome.exit, message: outcome.message };
}

async function copied<T>(work: (given: PoolMove, mover: Mover) => Promise<T>): Promise<T> {
  const given = await poolMove(server.current);
  return given.moving(async (mover) => {
    await mover.receiver.makeReady(mover.session);
    await mover.copy();
    await mover.cycle('true');
    return work(given, mover);
  });
}

test('a trigger that comes during the move and writes elsewhere stops the cycle, named with its counts', async () => {
  await copied(async (given, mover) => {
    await given.truth(`create schema ext; create table ext.outbox (id bigint, n int default 1); grant usage on schema ext to public; grant all on ext.outbox to public;
      create function ext.push() returns trigger language plpgsql as $$ begin insert into ext.outbox values (new.id), (new.id); return null; end $$;
      create trigger push after update on purchase for each row execute function ext.push()`);
    await mover.change({ kind: 'purchase handed on', a: 1, b: 2 });
    expect(await refused(given, mover)).toEqual({
      code: 'MOVE_SIDE_EFFECT',
      exit: EXIT.difference,
      message:
        'Writing the rows of the tenant has done something else as well. ext.outbox: nothing planned, 2 insert done.',
    });
    await given.truth('drop trigger push on purchase');
    await mover.cycle();
    expect(await mover.sums(given.target)).toEqual(await mover.sums(given.source));
  });
});

test('a trigger that writes to a table of the move is seen by the counts', async () => {
  await copied(async (given, mover) => {
    await given.truth(`create function app.also() returns trigger language plpgsql as $$ begin
        delete from app.ticket where tenant_id = new.tenant_id and id = 1; return null; end $$;
      create trigger also after insert on team for each row execute function app.also()`);
    await mover.change({ kind: 'new team', a: 8, b: 1 });
    expect(await refused(given, mover)).toMatchObject({
      code: 'MOVE_SIDE_EFFECT',
      message: expect.stringContaining('ticket: nothing planned, 1 delete done'),
    });
  });
});

test('a trigger that changes the row on its way in is seen in the row', async () => {
  await copied(async (given, mover) => {
    await given.truth(
      `create trigger touch_again before update on customer for each row execute function touch()`,
    );
    await mover.change({ kind: 'new values', a: 1, b: 2 });
    expect(await refused(given, mover)).toEqual({
      code: 'MOVE_SIDE_EFFECT',
      exit: EXIT.difference,
      message: 'Rows are not what was written: 1 of table customer.',
    });
  });
});

test('a trigger that swallows a row is seen', async () => {
  await copied(async (given, mover) => {
    await given.truth(`create function app.swallow() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger swallow before delete on event for each row execute function app.swallow()`);
    await mover.change({ kind: 'event gone', a: 1, b: 1 });
    expect(await refused(given, mover)).toMatchObject({
      message: 'Rows are not what was written: 1 of table event.',
    });
  });
});

test('a trigger that fires during the first copy stops it, and nothing of it is kept', async () => {
  const given = await poolMove(server.current);
  await given.moving(async (mover) => {
    const failure = await mover.copy().catch((error: unknown) => error);
    expect(isTenantctlError(failure) && failure.code).toBe('MOVE_SIDE_EFFECT');
    expect((failure as Error).message).toContain('audit: ');
    expect((await mover.sums(given.target)).filter(({ rows }) => rows > 0)).toEqual([]);
  });
});

test('a row that would take more than 50,000 others with it is refused with a way out', async () => {
  await copied(async (given, mover) => {
    const many = `insert into invoice (tenant_id, id, customer_id, number) select $t, n, 1, 'many ' || n from generate_series(100, 50100) n`;
    expect(await mover.attempt(many)).toEqual([true]);
    await mover.cycle();
    await mover.change({ kind: 'addresses exchanged', a: 1, b: 2 });
    const outcome = await mover.cycle().catch((error: unknown) => error);
    expect(outcome).toMatchObject({
      code: 'MOVE_CLOSURE_TOO_LARGE',
      exit: EXIT.refused,
      hint: expect.stringContaining('--method offline'),
    });
    // Those that changed as well do not count: they would be written anyway.
    expect(
      await mover.attempt(`update invoice set number = number || '!' where id between 100 and 200`),
    ).toEqual([true]);
    await mover.cycle();
    expect(await mover.sums(given.target)).toEqual(await mover.sums(given.source));
  });
});

test('a server that does not count rows is refused', async () => {
  const given = await poolMove(server.current);
  await given.moving(async (mover) => {
    await mover.receiver.makeReady(mover.session);
    await mover.copy();
  });
  const { database } = given.target.home.placement;
  await given.truth(`alter database ${database} set track_counts = off`);
  await given.fleet.connections('main').close();
  await given.moving(async (mover) => {
    await mover.change({ kind: 'new values', a: 1, b: 2 });
    expect(await refused(given, mover)).toMatchObject({ code: 'MOVE_NOT_COUNTED', exit: EXIT.refused });
  });
});
