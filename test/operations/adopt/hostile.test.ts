import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { LOCK_CLASS } from '../../../src/pg/locks.js';
import { migrate } from '../../../src/operations/migrate.js';
import { provision } from '../../../src/operations/provision.js';
import type { AdoptReport } from '../../../src/operations/adopt/report.js';
import { useServer, withClient } from '../../support/server.js';
import { FILES, type LegacyFleet, dbmateDirectory, legacyFleet } from './legacy.js';

const server = useServer();

const told = (report: AdoptReport) =>
  Object.fromEntries(
    report.units.map(({ unit, state, reason }) => [unit.replace(/^\w+:/, ''), reason ?? state]),
  );

const containing = (text: string) => expect.stringContaining(text) as string;

async function migrated(made: LegacyFleet) {
  const done = await migrate(made.fleet, { select: [], allowEmpty: false, dryRun: false });
  if ('plan' in done) throw new Error('it was a dry run');
  return done;
}

function addFile(made: LegacyFleet, name: string, text: string): void {
  writeFileSync(path.join(made.directory, `${name}.sql`), `-- migrate:up\n${text}\n\n-- migrate:down\n`);
}

test('a ledger that somebody holds keeps its own unit out, and nobody waits for it', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex', 'initech', 'hooli']) await made.makeSchema(id);
  await made.asOwner('create schema books; alter table initech.schema_migrations set schema books');
  const rows = ['acme', 'globex', 'initech', 'hooli'].map((id) => ({
    id,
    ledger: id === 'initech' ? 'books.schema_migrations' : null,
  }));
  await withClient(server.current.superuserUrl(made.database), async (holder) => {
    await holder.query('begin; lock table globex.schema_migrations, books.schema_migrations');
    expect(told(await made.adopt(rows))).toEqual({
      acme: 'current',
      globex: containing('another session holds'),
      initech: containing('another session holds'),
      hooli: 'current',
    });
  });
  expect(await made.adopt(rows)).toMatchObject({ adopted: 2, existing: 2, refused: [] });
});

test('a database that cannot be written to keeps its own units out, and the others are taken in', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  await made.makeDatabase('frozen');
  await made.makeSchema('app', 4, 'frozen');
  await made.inside('alter database frozen set default_transaction_read_only = on', 'postgres');
  await made.makeDatabase('taken');
  await made.makeSchema('app', 4, 'taken');
  await made.asOwner('create schema tenantctl', 'taken');
  const report = await made.adopt([
    { id: 'frozen', tier: 'database', database: 'frozen', schema: 'app' },
    { id: 'taken', tier: 'database', database: 'taken', schema: 'app' },
    { id: 'acme' },
  ]);
  expect(told(report)).toEqual({
    acme: 'current',
    frozen: containing('read-only'),
    taken: containing('schema tenantctl'),
  });
  expect(report.adopted).toBe(1);
});

test('what was rolled back since is not taken for applied because the other ledger still says so', async () => {
  const made = await legacyFleet(server.current);
  const rows = ['acme', 'globex'].map((id) => ({ id }));
  for (const { id } of rows) await made.makeSchema(id);
  await made.adopt(rows);
  await made.inside(
    "update tenantctl.ledger set rolled_back_at = now() where id = 4 and unit like 'schema:%'",
  );
  expect(told(await made.adopt(rows))).toEqual({ acme: 'behind', globex: 'behind' });
  const standing = await made.inside(
    "select array_agg(id order by id) as ids from tenantctl.ledger where unit = 'schema:acme' and rolled_back_at is null",
  );
  expect(standing).toEqual([{ ids: [1, 2, 3] }]);
});

test('a ledger whose rows are hidden or out of reach is told with what opens it, and never read as an empty one', async () => {
  const made = await legacyFleet(server.current);
  const rows = ['acme', 'globex', 'Initech.1'].map((id) => ({
    id: id.replace('.', '').toLowerCase(),
    schema: id,
  }));
  for (const { schema } of rows) await made.makeSchema(schema);
  await made.asOwner(
    'alter table globex.schema_migrations enable row level security, force row level security',
  );
  await made.inside(
    'create role clerk; alter schema "Initech.1" owner to clerk; revoke all on schema "Initech.1" from public',
  );
  const report = await made.adopt(rows);
  expect(told(report)).toEqual({
    acme: 'current',
    globex: containing('row-level security may hide rows of globex.schema_migrations'),
    initech1: containing('may not read Initech.1.schema_migrations'),
  });
  for (const { hint } of report.refused) await made.inside(statementsIn(hint ?? ''));
  expect(await made.adopt(rows)).toMatchObject({ adopted: 2, existing: 1, refused: [] });
});

/** The first statements that a hint gives. */
function statementsIn(hint: string): string {
  return /(?:ALTER|GRANT) .*?;(?: GRANT .*?;)?/.exec(hint)?.[0] ?? '';
}

test('a ledger that the list names and that is none is told, and no shape stands in for it', async () => {
  const made = await legacyFleet(server.current);
  const rows = [
    { id: 'acme', ledger: 'books.ledger' },
    { id: 'globex', ledger: 'bill' },
  ];
  for (const { id } of rows) await made.makeSchema(id, 2);
  expect(told(await made.dryRun(rows))).toEqual({
    acme: containing('books.ledger, which is no ledger'),
    globex: containing('globex.bill, which is no ledger'),
  });
});

test('a ledger that was dropped after the change-over leaves the unit what our own ledger says', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  await made.adopt([{ id: 'acme' }], { dualWrite: true });
  await made.asOwner('drop table acme.schema_migrations');
  addFile(made, '20240105000000_due', 'alter table bill add column due date;');
  const run = await migrated(made);
  expect(run.failures).toMatchObject([{ code: 'TOOL_LEDGER_GONE' }]);
  expect(await made.adopt([{ id: 'acme' }])).toMatchObject({ existing: 1, refused: [] });
  expect(await migrated(made)).toMatchObject({ status: 'succeeded', totals: { succeeded: 1, failed: 0 } });
});

test('a schema in which the home knows another tenant is not taken in under a second id', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  await made.adopt([{ id: 'acme' }]);
  const other = await legacyFleet(server.current);
  const again = await other.adopt([{ id: 'acme2', schema: 'acme', database: made.database }]);
  expect(told(again)).toEqual({ acme2: 'this database knows schema acme as that of tenant acme' });
  expect(await made.inside('select tenant from tenantctl.placement')).toEqual([{ tenant: 'acme' }]);
});

test('a home that this tool has made for another catalog does not become an adopted one', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  await made.adopt([{ id: 'acme' }]);
  await made.inside('delete from tenantctl.adopted');
  const other = await legacyFleet(server.current);
  const again = await other.adopt([{ id: 'acme', database: made.database }]);
  expect(told(again)).toEqual({
    acme: 'tenantctl has made schema acme for tenant acme, and this catalog does not know it',
  });
});

test('a ledger that speaks of several units is not kept true of each, together or one after the other', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex']) await made.makeSchema(id);
  await made.asOwner(
    'create schema books; alter table acme.schema_migrations set schema books; drop table globex.schema_migrations',
  );
  const rows = ['acme', 'globex'].map((id) => ({ id, ledger: 'books.schema_migrations' }));
  const shared = (unit: string) =>
    `its ledger books.schema_migrations is that of schema:${unit} too, and cannot be kept true of each`;
  expect(told(await made.adopt(rows, { dualWrite: true }))).toEqual({
    acme: shared('globex'),
    globex: shared('acme'),
  });
  await made.adopt(rows.slice(0, 1), { dualWrite: true });
  expect(told(await made.adopt(rows.slice(1), { dualWrite: true }))).toEqual({ globex: shared('acme') });
  expect(await made.adopt(rows)).toMatchObject({ adopted: 1, existing: 1, refused: [] });
});

test('files that act where no rollback reaches are not played to compare a unit', async () => {
  const files = { ...FILES, '20240105000000_lock.sql': 'select pg_advisory_lock(4711);' };
  const made = await legacyFleet(server.current, { migrations: dbmateDirectory(files) });
  await made.makeSchema('acme');
  const report = await made.dryRun([{ id: 'acme' }]);
  expect(told(report)).toEqual({ acme: containing('acts where no rollback reaches') });
  expect(await made.inside("select from pg_locks where locktype = 'advisory' and objid = 4711")).toEqual([]);
});

test('names of any kind are taken in and migrated onward, and both ledgers say so', async () => {
  const made = await legacyFleet(server.current);
  const names = ['Acme "Corp".x', "o'neil;--", 'ünïcødé—schema', `${'é'.repeat(31)}x`, '%s$1\\', 'select'];
  for (const name of names) await made.makeSchema(name.replaceAll('"', '""'));
  const report = await made.adopt(
    names.map((schema, n) => ({ id: `t${n}`, schema })),
    { dualWrite: true },
  );
  expect(report).toMatchObject({ adopted: names.length, refused: [] });
  addFile(made, '20240105000000_due', 'alter table bill add column due date;');
  expect(await migrated(made)).toMatchObject({ totals: { succeeded: names.length, failed: 0 } });
  for (const name of names)
    expect(
      await made.inside(`select max(version) as v from "${name.replaceAll('"', '""')}".schema_migrations`),
    ).toEqual([{ v: '20240105000000' }]);
});

/** Runs `work` when everything was looked at and nothing is written yet: `adopt` waits to make schema `tenantctl`. */
async function beforeWriting(
  made: LegacyFleet,
  adopting: () => Promise<AdoptReport>,
  work: () => Promise<unknown>,
) {
  return withClient(server.current.superuserUrl(made.database), async (holder) => {
    await holder.query(`select pg_advisory_lock(${LOCK_CLASS.install}, 0)`);
    const running = adopting();
    await expect
      .poll(() => made.inside("select from pg_locks where locktype = 'advisory' and not granted"), {
        timeout: 20_000,
      })
      .toHaveLength(1);
    await work();
    await holder.query(`select pg_advisory_unlock(${LOCK_CLASS.install}, 0)`);
    return running;
  });
}

test('what is dropped, renamed or migrated between the look and the writing is left out, and the rest is taken in', async () => {
  const made = await legacyFleet(server.current);
  const ids = ['acme', 'dropped', 'renamed', 'unledgered', 'migrated', 'elsewhere'];
  for (const id of ids) await made.makeSchema(id);
  await made.asOwner('create schema books; alter table elsewhere.schema_migrations set schema books');
  const rows = ids.map((id) => ({ id, ledger: id === 'elsewhere' ? 'books.schema_migrations' : null }));
  const report = await beforeWriting(
    made,
    () => made.adopt(rows),
    () =>
      made
        .asOwner(
          `drop schema dropped cascade; drop schema elsewhere cascade; drop table unledgered.schema_migrations;
        insert into migrated.schema_migrations values ('20240105000000')`,
        )
        .then(() => made.inside('alter schema renamed rename to other')),
  );
  const overtaken = 'somebody has been at work on it since it was looked at';
  expect(told(report)).toEqual({
    acme: 'current',
    ...Object.fromEntries(ids.slice(1).map((id) => [id, overtaken])),
  });
  expect(await made.inside('select tenant from tenantctl.placement')).toEqual([{ tenant: 'acme' }]);
});

test('a tenant that somebody provisions meanwhile is told, and its place in the list is not kept for it', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex']) await made.makeSchema(id);
  const report = await beforeWriting(
    made,
    () => made.adopt([{ id: 'acme' }, { id: 'globex' }]),
    () => provision(made.another(), { id: 'acme', plan: 'enterprise' }, { dryRun: false }),
  );
  expect(told(report)).toEqual({
    acme: 'its tenant, the key or the place was given away since it was looked at',
    globex: 'current',
  });
  expect(report).toMatchObject({ adopted: 1, problems: [{ line: 2, id: 'acme' }] });
  expect(await made.inside('select tenant from tenantctl.placement')).toEqual([{ tenant: 'globex' }]);
  expect(await made.adopt([{ id: 'globex' }, { id: 'acme3', schema: 'acme' }])).toMatchObject({
    adopted: 1,
    existing: 1,
  });
});

test('ledgers with columns of other types, more columns and views of that name are judged or told, never crashed on', async () => {
  const made = await legacyFleet(server.current);
  const ids = ['acme', 'words', 'more', 'parted', 'viewed', 'json'];
  for (const id of ids) await made.makeSchema(id);
  await made.asOwner(`
    drop table words.schema_migrations; create table words.schema_migrations (version text, dirty text);
    insert into words.schema_migrations values ('not a number', 'perhaps');
    alter table more.schema_migrations add column at timestamptz default clock_timestamp(), add column note jsonb;
    alter table parted.schema_migrations rename to kept;
    create table parted.schema_migrations (version varchar primary key) partition by list (version);
    alter table parted.schema_migrations attach partition parted.kept default;
    alter table viewed.schema_migrations rename to kept; create view viewed.schema_migrations as select * from viewed.kept;
    drop table json.schema_migrations; create table json.schema_migrations (version json);
    insert into json.schema_migrations values ('"20240101000000"')`);
  const report = await made.dryRun(ids.map((id) => ({ id })));
  expect(told(report)).toEqual({
    acme: 'current',
    more: 'current',
    words: 'It is at not a number, which is no number',
    // Without the ledger itself, and with the partition that holds its rows.
    parted: 'it is recorded at 20240104000000_backfill, but differs from 2 others',
    viewed: containing('looks like no version of the files'),
    json: containing('looks like versions 3, 4 of the files'),
  });
});

test('databases of other encodings are taken in and migrated onward', async () => {
  const made = await legacyFleet(server.current);
  for (const encoding of ['LATIN1', 'SQL_ASCII']) {
    const name = encoding.toLowerCase();
    await made.inside(
      `create database ${name} owner ${made.owner} encoding '${encoding}' locale_provider libc lc_collate 'C' lc_ctype 'C' template template0`,
      'postgres',
    );
    await made.inside(`grant create on database ${name} to public`, name);
    await made.makeSchema('app', 4, name);
  }
  await made.makeSchema('acme');
  const rows = ['latin1', 'sql_ascii'].map((database) => {
    return { id: database, tier: 'database' as const, database, schema: 'app' };
  });
  const report = await made.adopt([...rows, { id: 'acme' }]);
  expect(report).toMatchObject({ adopted: 3, refused: [] });
  addFile(
    made,
    '20240105000000_due',
    "alter table bill add column due date; comment on column bill.due is 'ü';",
  );
  expect(await migrated(made)).toMatchObject({ totals: { succeeded: 3, failed: 0 } });
});
