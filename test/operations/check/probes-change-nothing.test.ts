import { expect, it, vi } from 'vitest';
import { query, useServer, withClient } from '../../support/server.js';
import { dumpOf } from './dump.js';
import { fleetWith, probedFleet } from './probing.js';

const server = useServer({ autovacuum: 'off' });

const NOTE = `create table note (tenant_id uuid not null, id bigint not null, body text, primary key (tenant_id, id));`;

it('no row and no object of the whole server is another one after a check', { timeout: 60_000 }, async () => {
  const fleet = await probedFleet(server.current);
  await fleet.probe();
  const before = await dumpOf(server.current);
  const { coverage } = await fleet.probe();
  expect(coverage.probed).toBeGreaterThan(500);
  expect(await dumpOf(server.current)).toEqual(before);
});

it('what isolation does not hold is not written either', { timeout: 60_000 }, async () => {
  const fleet = await fleetWith(server.current, NOTE);
  await fleet.change(`
    set tenantctl.scope = 'fleet'; insert into note select key::uuid, n, 'kept' from tenantctl.placement, generate_series(1, 50) n;
    alter table note disable row level security; grant truncate on note to app_user`);
  await fleet.probe();
  const before = await dumpOf(server.current, fleet.database);
  const { findings } = await fleet.probe();
  expect(findings.map(({ rule }) => rule)).toEqual(
    expect.arrayContaining(['foreign-rows-read', 'foreign-rows-written']),
  );
  expect(await dumpOf(server.current, fleet.database)).toEqual(before);
});

it('what triggers write elsewhere is taken back with the row', { timeout: 60_000 }, async () => {
  const fleet = await fleetWith(
    server.current,
    `${NOTE} create table seen (at timestamptz not null default now(), what text not null);
     create function see() returns trigger language plpgsql security definer as
       $$ begin insert into app.seen (what) values (tg_op); perform pg_notify('seen', tg_op); return null; end $$;
     create trigger see after insert or update or delete on note for each row execute function see();`,
  );
  await fleet.probe();
  const before = await dumpOf(server.current, fleet.database);
  const { coverage } = await fleet.probe();
  expect(coverage.notProbed).toEqual([]);
  expect(await dumpOf(server.current, fleet.database)).toEqual(before);
});

it(
  'a table whose trigger refuses every row is read with the rows of tenants that live there',
  { timeout: 60_000 },
  async () => {
    const fleet = await fleetWith(server.current, NOTE);
    await fleet.change(`
    set tenantctl.scope = 'fleet'; insert into note select key::uuid, 1, 'kept' from tenantctl.placement;
    create function never() returns trigger language plpgsql as $$ begin raise exception 'no notes today'; end $$;
    create trigger never before insert or update or delete on note for each row execute function never()`);
    await fleet.probe();
    const before = await dumpOf(server.current, fleet.database);
    const sound = await fleet.probe();
    expect(sound.findings).toEqual([]);
    expect(sound.coverage.probed).toBeGreaterThan(0);
    expect(sound.coverage.notProbed).toMatchObject([{ reason: expect.stringContaining('no notes today') }]);
    expect(await dumpOf(server.current, fleet.database)).toEqual(before);
    await fleet.change('alter table note disable row level security');
    const broken = await fleet.probe();
    expect(broken.findings).toMatchObject([{ rule: 'foreign-rows-read' }]);
    expect(broken.findings[0]?.facts['contexts']).toContain('no context');
  },
);

it('a trigger that may reach out of the database is not woken', { timeout: 60_000 }, async () => {
  const fleet = await fleetWith(
    server.current,
    `${NOTE} create function tell() returns trigger language plpgsql as
       $$ begin perform dblink_exec('host=elsewhere', 'select 1'); return null; end $$;
     create trigger tell after insert on note for each row execute function tell();`,
  );
  const { findings, coverage } = await fleet.probe();
  expect(coverage.probed).toBe(0);
  const reason = 'it may reach out of the database (app.tell: it calls dblink_exec)';
  expect(coverage.notProbed).toMatchObject([{ reason }]);
  expect(findings).toMatchObject([{ rule: 'not-inspected', level: 'warning', facts: { reason } }]);
});

it('a check whose session is ended in the middle leaves nothing', { timeout: 60_000 }, async () => {
  const fleet = await fleetWith(
    server.current,
    `${NOTE} create table late (tenant_id uuid not null, note_id bigint not null, primary key (tenant_id, note_id),
       foreign key (tenant_id, note_id) references note (tenant_id, id));
     create function wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(77); return new; end $$;
     create trigger wait before insert on late for each row execute function wait();`,
  );
  const url = server.current.superuserUrl(fleet.database);
  await fleet.probe();
  const before = await dumpOf(server.current, fleet.database);
  await withClient(url, async (holder) => {
    await holder.query('select pg_advisory_lock(77)');
    const probing = fleet.probe().then(
      () => 'went through',
      (error: Error) => error.message,
    );
    const waiting = await vi.waitUntil(
      async () =>
        (
          await query<{ pid: number }>(
            url,
            `select pid from pg_locks where locktype = 'advisory' and objid = 77 and not granted`,
          )
        )[0],
      { interval: 10, timeout: 20_000 },
    );
    const written = await query(
      url,
      `select from pg_locks where pid = $1 and mode = 'RowExclusiveLock' and relation = 'app.note'::regclass`,
      [waiting.pid],
    );
    expect(written).toHaveLength(1);
    await holder.query('select pg_terminate_backend($1)', [waiting.pid]);
    expect(await probing).toMatch(/terminat/);
  });
  expect(await dumpOf(server.current, fleet.database)).toEqual(before);
});

it('a table that somebody has locked is not waited for', { timeout: 60_000 }, async () => {
  const fleet = await fleetWith(server.current, NOTE);
  await withClient(server.current.superuserUrl(fleet.database), async (holder) => {
    await holder.query('begin; lock table app.note in share mode');
    const { findings, coverage } = await fleet.probe();
    expect(findings).toEqual([]);
    expect(coverage.notProbed).toMatchObject([{ reason: expect.stringContaining('lock timeout') }]);
  });
});
