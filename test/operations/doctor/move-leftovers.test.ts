import { expect, test } from 'vitest';
import { tryWithLock } from '../../../src/pg/locks.js';
import { useServer } from '../../support/server.js';
import { type DoctorFleet, doctorFleet, rulesOf } from './support.js';

const server = useServer();

/** A tenant in its grace period, whose move the catalog then calls over although its homes are as they were. */
async function abandoned(made: DoctorFleet): Promise<{ database: string; move: string }> {
  await made.tenant('mover', 'pool', 5);
  const { move } = await made.promote({ id: 'mover', to: 'schema' });
  expect(await made.findings()).toEqual([]);
  const { database } = await made.show('mover');
  await made.catalog(
    `update tenantctl_catalog.moves set state = 'completed', finished_at = now() where id = $1`,
    [move],
  );
  return { database, move };
}

test('a move that is under way is no finding', async () => {
  const made = await doctorFleet(server.current);
  await made.tenant('mover', 'pool', 5);
  await made.promote({ id: 'mover', to: 'schema' });
  expect(await made.findings()).toEqual([]);
});

test('a copy that a finished move has left is named, and what guards it is not taken off', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await abandoned(made);
  const findings = await made.findings();
  expect(rulesOf(findings)).toEqual(['stranded-home error', 'move-leftovers warning']);
  expect(findings[0]?.facts).toMatchObject({ tenant: 'mover', state: 'moved', fixable: false });
  expect(findings[1]?.facts).toMatchObject({ tenant: 'mover', known: 'over', fixable: false });
  expect((await made.fix()).fixed).toEqual([]);
  const [left] = await made.inside<{ n: number }>(database, 'select count(*)::int as n from tenantctl.move');
  expect(left?.n).toBe(2);
});

test('triggers, functions and marks of a finished move are removed by --fix, and no row of anybody', async () => {
  const made = await doctorFleet(server.current);
  const { database, move } = await abandoned(made);
  await made.inside(database, `delete from tenantctl.placement where tenant = 'mover' and state = 'moved'`);
  await made.inside(
    database,
    `insert into tenantctl.dirty (move, side, relation, key) values ($1, 'source', 'item', '{1}')`,
    [move],
  );
  const before = [await made.rows(await made.show('mover')), await made.rows(await made.show('neighbour'))];
  expect(rulesOf(await made.findings())).toEqual(['move-leftovers warning']);
  const { findings, fixed } = await made.fix();
  expect(findings).toEqual([]);
  expect(fixed[0]?.facts).toMatchObject({ tenant: 'mover', move });
  const ours = await made.inside(
    database,
    `select tgname as name from pg_trigger where tgname like 'tenantctl\\_%'
     union all select proname from pg_proc where proname ~ '^tenantctl_[0-9a-f]{8}_'
     union all select move from tenantctl.move union all select move from tenantctl.dirty`,
  );
  expect(ours).toEqual([]);
  expect([await made.rows(await made.show('mover')), await made.rows(await made.show('neighbour'))]).toEqual(
    before,
  );
});

test('what a move has left that the catalog does not know stays, because the catalog may be an old copy', async () => {
  const made = await doctorFleet(server.current);
  await made.tenant('mover', 'pool', 5);
  const { move } = await made.promote({ id: 'mover', to: 'schema' });
  const { database } = await made.show('mover');
  const catalog = made.fleet.catalogDatabase;
  await made.inside(catalog, 'delete from tenantctl_catalog.move_tables where move = $1', [move]);
  await made.inside(catalog, 'delete from tenantctl_catalog.moves where id = $1', [move]);
  const findings = await made.findings();
  expect(rulesOf(findings)).toEqual(['stranded-home error', 'move-leftovers error']);
  expect(findings[1]).toMatchObject({ facts: { move, known: 'unknown', fixable: false } });
  expect((await made.fix()).fixed).toEqual([]);
  const [left] = await made.inside<{ n: number }>(database, 'select count(*)::int as n from tenantctl.move');
  expect(left?.n).toBe(2);
});

test('constraints that were set aside and not put back are told with how they were', async () => {
  const made = await doctorFleet(server.current);
  const { database, move } = await abandoned(made);
  await made.inside(database, `delete from tenantctl.placement where tenant = 'mover' and state = 'moved'`);
  const aside = {
    relation: 'child',
    kind: 'foreign key',
    name: 'child_fk',
    definition: 'FOREIGN KEY (a) REFERENCES b (c)',
  };
  await made.inside(
    database,
    `insert into tenantctl.set_aside (move, side, relation, kind, name, definition) values ($1, 'target', $2, $3, $4, $5)`,
    [move, aside.relation, aside.kind, aside.name, aside.definition],
  );
  const [finding] = await made.findings();
  expect(finding).toMatchObject({
    rule: 'move-leftovers',
    level: 'error',
    facts: { aside: [aside], fixable: false },
  });
});

test('what a restore has set aside is told once nobody is at work on it', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.tenant('back', 'schema', 3);
  await made.inside(
    database,
    `insert into tenantctl.set_aside (move, side, relation, kind, name, definition) values ('restore back', 'target', 'item', 'trigger', 'touch', 'O')`,
  );
  const [finding] = await made.findings();
  expect(finding).toMatchObject({ rule: 'move-leftovers', facts: { tenant: 'back', known: 'restore' } });
  expect(finding?.hint).toContain('tenantctl restore');
  const meanwhile = await made.fleet.catalog((connection) =>
    tryWithLock(connection, 'tenant', 'back', () => made.findings()),
  );
  expect(meanwhile?.value).toEqual([]);
});

test('a trigger of the application that a move has left silent is named', async () => {
  const made = await doctorFleet(server.current);
  const { database, schema } = await made.tenant('quiet', 'schema', 3);
  const [table] = Object.keys(await made.rows(await made.show('quiet')));
  await made.inside(
    database,
    `create function "${schema}".nothing() returns trigger language plpgsql as 'begin return new; end'`,
  );
  await made.inside(
    database,
    `create trigger stamp before insert on "${schema}".${table} for each row
       when (coalesce(current_setting('tenantctl.moving', true), '') = '') execute function "${schema}".nothing()`,
  );
  const findings = await made.findings();
  expect(rulesOf(findings)).toEqual(['silent-trigger warning']);
  expect(findings[0]?.facts).toMatchObject({ trigger: 'stamp', fixable: false });
});

test('a database from before moves has nothing to find', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.tenant('alone', 'database', 3);
  await made.inside(database, 'drop table tenantctl.move, tenantctl.dirty, tenantctl.set_aside');
  expect(await made.findings()).toEqual([]);
});
