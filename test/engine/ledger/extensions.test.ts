import { describe, expect, test } from 'vitest';
import type { Tier } from '../../../src/core/tier.js';
import { driverOf } from '../../../src/engine/tiers/registry.js';
import { sql } from '../../../src/pg/sql.js';
import { newFleet } from '../../support/fleet.js';
import { loadFrom } from '../../support/migrations.js';
import { query, useServer } from '../../support/server.js';
import { homeFor, migrateUnit, migrationsOf, opened } from '../tiers/support.js';
import { directoryOf, failureOf, numbered } from './directory.js';
import { useUnits } from './units.js';

const USING = `create extension if not exists pgcrypto;
  create extension citext;
  create table token (id int primary key, secret bytea not null default gen_random_bytes(16), owner citext);
  insert into token (id, owner) values (1, 'Jo');`;

const server = useServer();
const installedIn = async (database: string) => {
  const rows = await query<{ name: string; schema: string }>(
    server.current.adminUrl(database),
    `select extname as name, extnamespace::regnamespace::text as schema from pg_extension where extname <> 'plpgsql' order by 1`,
  );
  return Object.fromEntries(rows.map(({ name, schema }) => [name, schema]));
};

async function newHomes(...places: [Tier, string][]) {
  const { fleet, settings } = await newFleet(server.current);
  return { fleet, homes: places.map(([tier, id]) => homeFor(settings, tier, id)) };
}

describe('an extension that a migration asks for', () => {
  test.each<[string, [Tier, string][]]>([
    [
      'two schemas of one database',
      [
        ['schema', 'one'],
        ['schema', 'two'],
      ],
    ],
    [
      'a pool and a schema of one database',
      [
        ['pool', 'one'],
        ['schema', 'two'],
      ],
    ],
    [
      'two databases, copies of one template',
      [
        ['database', 'one'],
        ['database', 'two'],
      ],
    ],
  ])('serves %s, whoever comes first', async (_, places) => {
    const { fleet, homes } = await newHomes(...places);
    const migrations = await migrationsOf(USING);
    await Promise.all(homes.map((home) => opened(fleet, home, migrations)));
    for (const home of homes) {
      const found = await driverOf(home.placement.tier).open(fleet, home, (session) =>
        session.row(sql`select length(gen_random_bytes(4)) as bytes, 'jo' = 'JO'::citext as same`),
      );
      expect(found).toEqual({ bytes: 4, same: true });
      const expected = { citext: 'extensions', pgcrypto: 'extensions' };
      expect(await installedIn(home.placement.database)).toEqual(expected);
    }
  });

  test('comes to homes that were there before the migration', async () => {
    const { fleet, homes } = await newHomes(['schema', 'one'], ['schema', 'two']);
    const texts = ['create table a (id int)', 'create extension hstore; create table b (h hstore)'];
    for (const home of homes) await opened(fleet, home, await migrationsOf(texts[0] as string));
    for (const home of homes.toReversed()) await migrateUnit(fleet, home, await migrationsOf(...texts));
    const tables = await query(
      server.current.adminUrl(homes[0]?.placement.database ?? ''),
      "select 1 from pg_class where relname = 'b' and relkind = 'r'",
    );
    expect(tables).toHaveLength(2);
  });

  test('that another process makes at the same moment is made once', async () => {
    const { fleet, settings, another } = await newFleet(server.current);
    const migrations = await migrationsOf('create extension pg_trgm');
    const homes = ['one', 'two', 'three'].map((id) => homeFor(settings, 'schema', id));
    const fleets = [fleet, another(), another()];
    await Promise.all(homes.map((home, index) => opened(fleets[index] ?? fleet, home, migrations)));
    expect(await installedIn(homes[0]?.placement.database ?? '')).toEqual({ pg_trgm: 'extensions' });
  });

  test('that only a superuser may make is refused with the statement', async () => {
    const { fleet, homes } = await newHomes(['schema', 'one']);
    const [home] = homes as [(typeof homes)[0]];
    const error = await failureOf(
      opened(fleet, home, await migrationsOf('create extension earthdistance cascade')),
    );
    expect(error).toMatchObject({
      code: 'EXTENSION_NEEDS_SUPERUSER',
      exit: 6,
      facts: { extension: 'earthdistance', database: home.placement.database, file: '0001_step.sql' },
    });
    expect(error.hint).toContain(
      'create extension if not exists "earthdistance" schema "extensions" cascade;',
    );
  });

  test('that the server does not have is refused by name', async () => {
    const { fleet, homes } = await newHomes(['database', 'one']);
    const [home] = homes as [(typeof homes)[0]];
    const error = await failureOf(opened(fleet, home, await migrationsOf('create extension of_nobody')));
    expect(error).toMatchObject({
      code: 'EXTENSION_NOT_AVAILABLE',
      exit: 6,
      facts: { extension: 'of_nobody' },
    });
  });

  test('that is in a schema on no search path is refused with the remedy, and taken once it is gone', async () => {
    const { fleet, homes } = await newHomes(['schema', 'one'], ['schema', 'two']);
    const [first, second] = homes as [(typeof homes)[0], (typeof homes)[0]];
    await opened(fleet, first, await migrationsOf('select 1'));
    const url = server.current.adminUrl(first.placement.database);
    await query(url, 'create extension ltree schema public');
    const migrations = await migrationsOf('create extension ltree schema public; create table a (p ltree)');
    const error = await failureOf(opened(fleet, second, migrations));
    expect(error).toMatchObject({ code: 'EXTENSION_ELSEWHERE', exit: 6, facts: { extension: 'ltree' } });
    expect(error.hint).toContain('alter extension "ltree" set schema "extensions";');
    await query(url, 'drop extension ltree');
    await opened(fleet, second, migrations);
    expect(await installedIn(first.placement.database)).toEqual({ ltree: 'extensions' });
  });

  test('that belongs to the server itself is used as it is', async () => {
    const { fleet, homes } = await newHomes(['schema', 'one']);
    const [home] = homes as [(typeof homes)[0]];
    await opened(
      fleet,
      home,
      await migrationsOf('create extension if not exists plpgsql with schema pg_catalog'),
    );
    expect(await installedIn(home.placement.database)).toEqual({});
  });
});

describe('the statements themselves', () => {
  const units = useUnits();

  test('are left out, and what follows keeps its place', async () => {
    const unit = await units.newUnit();
    const text = `create extension pgcrypto;\ncomment on extension pgcrypto is 'x';\nalter extension pgcrypto update;\ncreate table a ();\ncreate table a ();`;
    const [migration] = await loadFrom(directoryOf(numbered(text)));
    expect(migration?.statements.map(({ kind }) => kind)).toEqual(['CreateStmt', 'CreateStmt']);
    expect(migration?.extensions).toEqual([{ name: 'pgcrypto', cascade: false, file: '0001_step.sql' }]);
    const error = await failureOf(unit.migrate(migration === undefined ? [] : [migration]));
    expect(error).toMatchObject({ code: 'MIGRATION_FAILED', facts: { line: 5, sqlstate: '42P07' } });
  });

  test('say what of them is not done', async () => {
    const text = `create extension a with schema public version '1.0';\nalter extension a set schema b;\nalter extension a update;`;
    const [migration] = await loadFrom(directoryOf(numbered(text)));
    expect(migration?.remarks.map((remark) => remark.text)).toEqual([
      'SCHEMA and VERSION of an extension is not taken from a migration',
      'ALTER EXTENSION SET SCHEMA is left out',
      'ALTER EXTENSION UPDATE is left out: run it yourself, once a database',
    ]);
  });

  test.each(['drop extension if exists citext', 'alter extension citext drop function f()'])(
    'refuse %s with file and line',
    async (statement) => {
      const error = await failureOf(loadFrom(directoryOf(numbered(`select 1;\n${statement};`))));
      expect(error).toMatchObject({ code: 'EXTENSION_SHARED', exit: 3, facts: { line: 2 } });
      expect(error.message).toContain(`0001_step.sql:2: an extension is shared by all tenants`);
    },
  );

  test('on the way back take nothing from the others', async () => {
    const files = { '0001_a.sql': 'create extension citext', 'down/0001_a.sql': 'drop extension citext;' };
    const [migration] = await loadFrom(directoryOf(files));
    expect(migration?.down?.sql.trim()).toBe(';');
    expect(migration?.remarks.map((remark) => remark.text)).toEqual([
      'DROP EXTENSION is left out: other tenants may use it',
    ]);
  });
});
